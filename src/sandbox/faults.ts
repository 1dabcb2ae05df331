import type { Answer } from "./answer.ts";
import { pageAnswer, jsonAnswer } from "./answer.ts";
import type { ReleaseTraits } from "./releases.ts";

/** How an answer gets to the client. */
export type Delivery = "whole" | "reset" | "reset-midway" | "hang" | "slow-drip" | "cut-short";

interface Fault {
  /** One sentence for `--help`. */
  meaning: string;
  /** What is answered instead; absent where only the delivery fails. */
  answer?: (request: { accept: string | undefined; url: string; traits: ReleaseTraits }) => Answer;
  delivery?: Delivery;
}

const router = "text/plain; charset=utf-8";

function startingAnswer(accept: string | undefined, { starting }: ReleaseTraits): Answer {
  const retry = { "retry-after": "5" };
  if (starting === "502") {
    const message = "failed to connect to authentik backend: authentik starting";
    const text = accept === "application/json" ? JSON.stringify({ error: message }) : message;
    return { status: 502, body: { text, type: router } };
  }
  const wantsJson = accept?.includes("application/json") === true;
  if (!wantsJson) return { status: 503, body: { text: "authentik starting", type: router }, headers: retry };
  return {
    status: starting === "200" ? 200 : 503,
    body: { text: JSON.stringify({ error: "authentik starting" }), type: "application/json" },
    headers: retry,
  };
}

const faults = {
  starting: {
    meaning: "authentik has not finished starting: 502, 200 or 503, as the release has it",
    answer: ({ accept, traits }) => startingAnswer(accept, traits),
  },
  "bad-gateway-502": {
    meaning: "the router lost its backend: 502",
    answer: () => ({
      status: 502,
      body: {
        text: JSON.stringify({ error: "failed to connect to authentik backend: EOF" }),
        type: "application/json",
      },
    }),
  },
  "unavailable-503": {
    meaning: "a load balancer has nobody to ask: 503 with Retry-After 30 and a page",
    answer: () => ({ ...pageAnswer(503, "Service Unavailable"), headers: { "retry-after": "30" } }),
  },
  "error-500": {
    meaning: "an uncaught error: 500 with a page",
    answer: () => pageAnswer(500, "Server Error"),
  },
  "rate-limited": {
    meaning: "throttled: 429 with Retry-After 1",
    answer: () => ({
      ...jsonAnswer({ detail: "Request was throttled. Expected available in 1 second." }, { status: 429 }),
      headers: { "retry-after": "1" },
    }),
  },
  "redirect-to-login": {
    meaning: "a login page stands in front of the API: 302",
    answer: ({ url }) => ({
      status: 302,
      body: null,
      headers: { location: `/flows/-/default/authentication/?next=${encodeURIComponent(url)}` },
    }),
  },
  "html-page": { meaning: "a page where JSON should be: 200", answer: () => pageAnswer(200, "Welcome") },
  "broken-json": { meaning: "the answer ends in the middle, its length fits: 200", delivery: "cut-short" },
  reset: { meaning: "the connection is reset before the answer", delivery: "reset" },
  "reset-midway": {
    meaning: "the connection is reset in the middle of the answer",
    delivery: "reset-midway",
  },
  hang: { meaning: "no answer ever comes", delivery: "hang" },
  "slow-drip": { meaning: "the answer comes at ten bytes a second", delivery: "slow-drip" },
} as const satisfies Record<string, Fault>;

/** Name of a fault switch. */
export type SandboxFaultName = keyof typeof faults;

/** One fault switch that is on. */
export interface SandboxFault {
  name: SandboxFaultName;
  /** The share of requests that it hits, above 0 and up to 1. */
  ratio: number;
}

/** Every fault switch with a sentence of what it does. */
export const SANDBOX_FAULTS: Readonly<Record<SandboxFaultName, { readonly meaning: string }>> = faults;

function isFaultName(name: string): name is SandboxFaultName {
  return Object.hasOwn(faults, name);
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

/** Numbers from 0 up to 1 that look random and are the same for the same seed (xorshift32). */
function createRandom(seed: number): () => number {
  // Zero would stay zero, and small seeds would start with small numbers.
  let state = (Math.imul(seed, 0x9e3779b1) ^ 0x6d2b79f5) | 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** Picks the fault of each request, the first of the switches that hits it, or none. */
export function createFaultPicker(
  switches: readonly SandboxFault[],
  { seed }: { seed: number },
): () => Fault | null {
  const random = createRandom(seed);
  return () => {
    const hit = switches.filter(({ ratio }) => random() < ratio).at(0);
    return hit === undefined ? null : faults[hit.name];
  };
}
