import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { Directory } from "../../src/sandbox/directory.ts";
import { createRelease, type SandboxRelease } from "../../src/sandbox/releases.ts";
import { encodeResponse } from "../../src/sandbox/rest-response.ts";
import { handleRequest } from "../../src/sandbox/routes.ts";
import { connectionBody, errorPage, listBody, type WireObject } from "./wire-bodies.ts";

const LIST = "/api/v3/sources/user_connections/plex/";

/** One request as it came in. */
export interface RecordedRequest {
  readonly method: string;
  /** Path and query exactly as sent. */
  readonly path: string;
  /** Name and value of each header line, in order, with the sender's capitals. */
  readonly headers: readonly (readonly [name: string, value: string])[];
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

/** Sends a page instead of the API's JSON. */
export function sendPage(response: ServerResponse, status: number, heading: string): void {
  response.writeHead(status, { "Content-Type": "text/html; charset=utf-8" });
  response.end(errorPage(heading));
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
export function createGate(): {
  readonly opened: Promise<void>;
  open(): void;
  readonly answer: AnswerHandler;
} {
  let open!: () => void;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open, answer: (_request, _response, fallback) => void opened.then(fallback) };
}

/** A real HTTP server on a free port of 127.0.0.1 that answers as a small authentik and writes down what it was asked. */
export async function startFakeAuthentik(options: FakeAuthentikOptions = {}) {
  const prefix = options.prefix ?? "";
  const directory = new Map<number, WireObject>();
  for (const pk of options.pks ?? Array.from({ length: 100 }, (_, index) => index + 1))
    directory.set(pk, connectionBody(pk));

  const requests: RecordedRequest[] = [];
  const watchers = new Set<() => void>();
  let aborts = 0;
  let inFlight = 0;
  let override: AnswerHandler | null = options.answer ?? null;

  const settle = (): void => {
    for (const watcher of watchers) watcher();
  };
  const reached = (current: () => number, count: number): Promise<void> =>
    new Promise((resolve) => {
      const watcher = (): void => {
        if (current() < count) return;
        watchers.delete(watcher);
        resolve();
      };
      watchers.add(watcher);
      watcher();
    });

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
      settle();
    });
    settle();
    const fallback = (): void => answerLikeAuthentik(recorded, response, { ...options, directory, prefix });
    if (override === null) fallback();
    else void override(recorded, response, fallback);
  };

  const server: Server =
    options.tls === undefined ? createServer(listener) : createTlsServer(options.tls, listener);
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;

  return {
    /** Base URL for the gateway, prefix included. */
    url: new URL(`${options.tls === undefined ? "http" : "https"}://127.0.0.1:${port}${prefix}`),
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

function record(incoming: IncomingMessage): RecordedRequest {
  const headers: [string, string][] = [];
  for (let index = 0; index + 1 < incoming.rawHeaders.length; index += 2) {
    headers.push([incoming.rawHeaders[index] ?? "", incoming.rawHeaders[index + 1] ?? ""]);
  }
  return {
    method: incoming.method ?? "",
    path: incoming.url ?? "",
    headers,
    aborted: false,
  };
}

function answerLikeAuthentik(
  request: RecordedRequest,
  response: ServerResponse,
  options: FakeAuthentikOptions & { directory: Map<number, WireObject>; prefix: string },
): void {
  const authorization = request.headers.find(([name]) => name.toLowerCase() === "authorization")?.[1];
  if (options.sandbox) {
    const release = createRelease(options.sandbox.release);
    const headersDistinct = authorization === undefined ? {} : { authorization: [authorization] };
    const asked = { method: request.method, url: request.path, headersDistinct };
    const handled = handleRequest(asked, { ...options.sandbox, release });
    const { status, headers, body } = encodeResponse(handled.response, { release, allow: handled.allow });
    response.writeHead(status, headers).end(body);
    return;
  }
  const [path = "", query = ""] = request.path.split("?");
  const list = options.prefix + LIST;
  if (!path.startsWith(list) || !/^\d*\/?$/.test(path.slice(list.length))) {
    sendPage(response, 404, "Not Found");
    return;
  }
  if (authorization === undefined) {
    sendJson(response, 403, { detail: "Authentication credentials were not provided." });
    return;
  }
  const sees = (pk: number): boolean => options.visible?.(authorization, pk) ?? true;
  const key = path.slice(list.length);
  if (key === "") {
    answerList(new URLSearchParams(query), response, options, sees);
    return;
  }
  const pk = Number(key.slice(0, -1));
  const body = key.endsWith("/") && sees(pk) ? options.directory.get(pk) : undefined;
  if (body === undefined) sendJson(response, 404, { detail: "Not found." });
  else sendJson(response, 200, body);
}

function answerList(
  query: URLSearchParams,
  response: ServerResponse,
  options: FakeAuthentikOptions & { directory: Map<number, WireObject> },
  sees: (pk: number) => boolean,
): void {
  const asked = Number(query.get("page_size"));
  const wanted = Number.isInteger(asked) && asked > 0 ? asked : 100;
  const pageSize = Math.min(wanted, options.maxPageSize ?? Infinity);
  const visible = [...options.directory.keys()].filter(sees).sort((a, b) => a - b);
  if (query.get("ordering") === "-pk") visible.reverse();
  const totalPages = Math.max(1, Math.ceil(visible.length / pageSize));
  const page = Number(query.get("page") ?? 1);
  if (!Number.isInteger(page) || page < 1 || page > totalPages) {
    sendJson(response, 404, { detail: "Invalid page." });
    return;
  }
  const rows = visible.slice((page - 1) * pageSize, page * pageSize).map((pk) => options.directory.get(pk));
  sendJson(response, 200, listBody(rows, { page, pageSize, count: visible.length }));
}
