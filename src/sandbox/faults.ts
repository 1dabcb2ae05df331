import type { ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import type { Release } from "./releases.ts";
import type { encodeResponse, SandboxResponse } from "./rest-response.ts";

/** What is sent instead of authentik's response. */
type FaultyResponse = (request: { url: string; release: Release }) => SandboxResponse;

/** The routers in Go answer with 502 first and then, by an oversight, with 200; the one in Rust with 503. */
function startingResponse({ since }: Release): SandboxResponse {
  if (!since("2025.10")) {
    const error = "failed to connect to authentik backend: authentik starting";
    return { status: 502, body: { text: JSON.stringify({ error }), type: "text/plain; charset=utf-8" } };
  }
  const body = { text: JSON.stringify({ error: "authentik starting" }), type: "application/json" };
  return { status: since("2026.8") ? 503 : 200, body, headers: { "retry-after": "5" } };
}

/** Every fault switch with what is sent instead; null where only the way to the client fails. */
export const SANDBOX_FAULTS = {
  /** authentik has not finished starting. */
  starting: ({ release }) => startingResponse(release),
  /** The router lost its backend. */
  "bad-gateway-502": () => ({
    status: 502,
    body: { text: `{"error":"failed to connect to authentik backend: EOF"}`, type: "application/json" },
  }),
  /** A load balancer has nobody to ask. */
  "unavailable-503": () => ({
    status: 503,
    body: { page: "Service Unavailable" },
    headers: { "retry-after": "30" },
  }),
  /** An uncaught error. */
  "error-500": () => ({ status: 500, body: { page: "Server Error" } }),
  "rate-limited": () => ({
    status: 429,
    body: { json: { detail: "Request was throttled. Expected available in 1 second." } },
    headers: { "retry-after": "1" },
  }),
  /** A login page stands in front of the API. */
  "redirect-to-login": ({ url }) => ({
    status: 302,
    body: null,
    headers: { location: `/flows/-/default/authentication/?next=${encodeURIComponent(url)}` },
  }),
  /** A page where JSON should be. */
  "html-page": () => ({ status: 200, body: { page: "Welcome" } }),
  /** The response ends in the middle, its length fits. */
  "broken-json": null,
  /** The connection is reset before the response. */
  reset: null,
  /** The connection is reset in the middle of the response. */
  "reset-midway": null,
  /** No response ever comes. */
  hang: null,
  /** The response comes at ten bytes a second. */
  "slow-drip": null,
} as const satisfies Record<string, FaultyResponse | null>;

/** Name of a fault switch. */
export type SandboxFaultName = keyof typeof SANDBOX_FAULTS;

/** One fault switch that is on. */
export interface SandboxFault {
  name: SandboxFaultName;
  /** The share of requests that it hits, above 0 and up to 1. */
  ratio: number;
}

function isFaultName(name: string): name is SandboxFaultName {
  return Object.hasOwn(SANDBOX_FAULTS, name);
}

/**
 * Reads a fault switch as people type it: a name, alone for every request, or with the share of requests behind a
 * colon, as in `reset:0.1`.
 * @returns null for an unknown name or a share that is not above 0 and at most 1
 */
export function parseSandboxFault(text: string): SandboxFault | null {
  const [name = "", share = "1", ...more] = text.split(":");
  const ratio = /^(?:0?\.\d+|[01](?:\.\d+)?)$/.test(share) ? Number(share) : 0;
  if (!isFaultName(name) || more.length > 0 || ratio <= 0 || ratio > 1) return null;
  return { name, ratio };
}

/**
 * Picks the fault of each request, or none. The shares lie side by side, and requests are spread evenly over them in
 * an order that repeats with every start but looks like chance: steps of the golden ratio.
 */
export function createFaultPicker(switches: readonly SandboxFault[]): () => SandboxFaultName | undefined {
  let place = 0;
  return () => {
    place = (place + 0.618_033_988_75) % 1;
    let end = 0;
    return switches.find(({ ratio }) => place < (end += ratio))?.name;
  };
}

/** Sends a response, as the fault has it; what fails on purpose counts as done. */
export async function deliver(
  { status, headers, body }: ReturnType<typeof encodeResponse>,
  outgoing: ServerResponse,
  fault: SandboxFaultName | undefined,
): Promise<void> {
  const half = body.subarray(0, Math.ceil(body.length / 2));
  switch (fault) {
    case "broken-json":
      outgoing.writeHead(status, { ...headers, "content-length": half.length }).end(half);
      return;
    case "hang":
      return;
    case "reset":
      outgoing.socket?.resetAndDestroy();
      return;
    case "reset-midway":
      outgoing.writeHead(status, headers).write(half, () => outgoing.socket?.resetAndDestroy());
      return;
    case "slow-drip":
      outgoing.writeHead(status, headers);
      for (const byte of body) {
        if (outgoing.destroyed) return;
        outgoing.write(Buffer.of(byte));
        await delay(100, undefined, { ref: false });
      }
      outgoing.end();
      return;
    default:
      outgoing.writeHead(status, headers).end(body);
  }
}
