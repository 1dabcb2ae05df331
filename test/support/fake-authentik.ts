import { EventEmitter, once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { Directory } from "../../src/sandbox/directory.ts";
import { createRelease, type SandboxRelease } from "../../src/sandbox/releases.ts";
import { encodeResponse } from "../../src/sandbox/rest-response.ts";
import { handleRequest } from "../../src/sandbox/routes.ts";
import { connectionBody, listBody, type WireObject } from "./wire-bodies.ts";

const LIST = "/api/v3/sources/user_connections/plex/";

/** One request as it came in. */
export interface RecordedRequest {
  readonly method: string;
  /** Path and query exactly as sent. */
  readonly path: string;
  /** Name and value of each header line, in order, with the sender's capitals. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly authorization: string | undefined;
  /** Whether the client went away before the answer was complete. */
  aborted: boolean;
}

/**
 * Takes over one request. The raw response is the handler's: status, headers, cuts, `destroy()`.
 * `fallback()` gives the answer that the fake would have given.
 */
export type AnswerHandler = (
  request: RecordedRequest,
  response: ServerResponse,
  fallback: () => void,
) => void | Promise<void>;

export interface FakeAuthentikOptions {
  answer?: AnswerHandler;
  /** Keys of the connections that exist; default 1 to 100. */
  pks?: Iterable<number>;
  /** Largest page granted, as releases from 2025.12 on clamp it; default unlimited. */
  maxPageSize?: number;
  /** Whether the holder of this `Authorization` value may see this connection; default: everyone sees all. */
  visible?: (authorization: string, pk: number) => boolean;
  /** Serves HTTPS with this key pair. */
  tls?: { key: string; cert: string };
  /** Put before `/api/v3`, as `web.path` does: `/auth`. */
  prefix?: string;
  /** Answers as the sandbox does, with authentik's permissions and filters, instead of `pks`. */
  sandbox?: { release: SandboxRelease; directory: Directory };
}

export type FakeAuthentik = Awaited<ReturnType<typeof startFakeAuthentik>>;

/** Sends JSON as authentik does. */
export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(status, {
    "Content-Type": "application/json",
    "X-authentik-id": "0123456789abcdef0123456789abcdef",
    "Content-Length": bytes.length,
    ...headers,
  });
  response.end(bytes);
}

/** Sends a Django error page instead of the API's JSON, as authentik does for a 404 outside the API and for every 500. */
export function sendPage(response: ServerResponse, status: number, heading: string): void {
  response.writeHead(status, { "Content-Type": "text/html; charset=utf-8" });
  response.end(
    `<!DOCTYPE html><html lang="en"><head><title>authentik</title></head><body><h1>${heading}</h1></body></html>`,
  );
}

/** Sends this, as rows of tables say it. */
export type Sending = (response: ServerResponse) => void;

export function json(status: number, body: unknown, headers?: Record<string, string>): Sending {
  return (response) => sendJson(response, status, body, headers);
}

export function page(status: number, heading: string): Sending {
  return (response) => sendPage(response, status, heading);
}

/** Something that answers can wait for, opened by the test: the only way to make an answer slow. */
export function createGate() {
  let open!: () => void;
  const opened = new Promise<void>((resolve) => (open = resolve));
  const answer: AnswerHandler = (_request, _response, fallback) => void opened.then(fallback);
  return { opened, open, answer };
}

/** A real HTTP server on a free port of 127.0.0.1 that answers as a small authentik and writes down what it was asked. */
export async function startFakeAuthentik(options: FakeAuthentikOptions = {}) {
  const { prefix = "", tls, pks = Array.from({ length: 100 }, (_, index) => index + 1) } = options;
  const directory = new Map<number, WireObject>();
  for (const pk of pks) directory.set(pk, connectionBody(pk));

  const requests: RecordedRequest[] = [];
  const changes = new EventEmitter().setMaxListeners(0);
  let aborts = 0;
  let inFlight = 0;
  let override: AnswerHandler | null = options.answer ?? null;

  const reached = async (current: () => number, count: number): Promise<void> => {
    while (current() < count) await once(changes, "change");
  };

  const listener: RequestListener = (incoming, response) => {
    const recorded = record(incoming);
    requests.push(recorded);
    inFlight += 1;
    response.once("close", () => {
      inFlight -= 1;
      if (!response.writableFinished) {
        recorded.aborted = true;
        aborts += 1;
      }
      changes.emit("change");
    });
    changes.emit("change");
    const fallback = (): void => answerLikeAuthentik(recorded, response, { ...options, directory, prefix });
    if (override === null) fallback();
    else void override(recorded, response, fallback);
  };

  const server = tls ? createTlsServer(tls, listener) : createServer(listener);
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;

  return {
    /** Base URL for the gateway, prefix included. */
    url: new URL(`${tls ? "https" : "http"}://127.0.0.1:${port}${prefix}`),
    /** All requests so far, in order of arrival. Empty it with `requests.length = 0`. */
    requests,
    /** Paths of all requests so far. */
    paths: () => requests.map((request) => request.path),
    /** Connections by key: change them at will. */
    directory,
    /** Requests that have arrived and are not answered yet. */
    inFlight: () => inFlight,
    /** Replaces the answer of all further requests; `null` brings the fake's own back. */
    answer: (handler: AnswerHandler | null): void => void (override = handler),
    /** Resolves when so many requests have arrived since `requests` was emptied. */
    arrived: (count: number) => reached(() => requests.length, count),
    /** Resolves when so many requests have been given up by their client in all. */
    abandoned: (count: number) => reached(() => aborts, count),
    /** Ends every connection. */
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function record({ method = "", url = "", rawHeaders, headers }: IncomingMessage): RecordedRequest {
  const lines = rawHeaders.flatMap((name, index) =>
    index % 2 === 0 ? [[name, rawHeaders[index + 1] ?? ""] as const] : [],
  );
  return { method, path: url, headers: lines, authorization: headers.authorization, aborted: false };
}

function answerLikeAuthentik(
  { method, path: url, authorization }: RecordedRequest,
  response: ServerResponse,
  options: FakeAuthentikOptions & { directory: Map<number, WireObject>; prefix: string },
): void {
  if (options.sandbox) {
    const release = createRelease(options.sandbox.release);
    const headersDistinct = authorization === undefined ? {} : { authorization: [authorization] };
    const handled = handleRequest({ method, url, headersDistinct }, { ...options.sandbox, release });
    const { status, headers, body } = encodeResponse(handled.response, { release, allow: handled.allow });
    return void response.writeHead(status, headers).end(body);
  }
  const { directory, prefix, maxPageSize = Infinity, visible = () => true } = options;
  const { pathname, searchParams } = new URL(url, "http://authentik");
  const below = pathname.startsWith(prefix + LIST) ? pathname.slice((prefix + LIST).length) : "elsewhere";
  const key = /^(?:(\d+)\/)?$/.exec(below);
  if (key === null) return sendPage(response, 404, "Not Found");
  if (authorization === undefined)
    return sendJson(response, 403, { detail: "Authentication credentials were not provided." });
  const pks = [...directory.keys()].filter((pk) => visible(authorization, pk));
  if (key[1] !== undefined) {
    const body = pks.includes(Number(key[1])) ? directory.get(Number(key[1])) : undefined;
    return body ? sendJson(response, 200, body) : sendJson(response, 404, { detail: "Not found." });
  }
  pks.sort((a, b) => (searchParams.get("ordering") === "-pk" ? b - a : a - b));
  const page = Number(searchParams.get("page") ?? 1);
  const pageSize = Math.min(Number(searchParams.get("page_size") ?? 100), maxPageSize);
  const rows = pks.slice((page - 1) * pageSize, page * pageSize).map((pk) => directory.get(pk));
  if (rows.length === 0 && page !== 1) sendJson(response, 404, { detail: "Invalid page." });
  else sendJson(response, 200, listBody(rows, { page, pageSize, count: pks.length }));
}
