import type { Socket } from "node:net";
import tls from "node:tls";
import { buildConnector, type Dispatcher, Pool } from "undici";
import { GrowingBuffer } from "../growing-buffer.ts";

/** One request to authentik. */
interface HttpRequest {
  method: "GET" | "DELETE";
  /** Path and query below the API's root. */
  path: string;
  /** Names and values in turn. */
  headers: string[];
}

/** A complete response of authentik, read into memory. */
export interface UpstreamResponse {
  status: number;
  contentType: string;
  /** Empty where there is none. Nothing but `identity` is asked for. */
  contentEncoding: string;
  /** `Retry-After` as sent; empty when absent. */
  retryAfter: string;
  /** `X-authentik-id`; empty when absent. */
  upstreamRequestId: string;
  body: string;
  bytes: number;
  /** From the first byte of the request to the last of the response, connecting not counted. */
  latencyMs: number;
}

export type HttpClient = ReturnType<typeof createHttpClient>;

/** How to reach it. */
export interface HttpOptions {
  /** Base URL; its path is put before every path. */
  url: URL;
  userAgent: string;
  /** PEM text of certificate authorities to trust besides Node's own. */
  caPem?: string | undefined;
  connectTimeoutMs: number;
  maxResponseBytes: number;
}

/** Interim responses before one real response, besides those that {@link skippingInterim} keeps back. */
const MAX_INTERIM_RESPONSES = 10;

/**
 * HTTP to one origin, which knows nothing of what a response means: undici's pool, bound to it. Paths are joined by
 * concatenation, so that none can change the host.
 *
 * How many requests are out at once is for the queue to say. undici's own timers are off: every request has a deadline,
 * which is its signal's. undici looks at no signal while it connects, hence the promise is rejected here at once.
 */
export function createHttpClient(options: HttpOptions) {
  const { url, caPem, connectTimeoutMs, maxResponseBytes } = options;
  const root = apiPath(url);
  // authentik's routers close idle connections early: undici's 4 s stay below what was seen.
  const pool = new Pool(url.origin, {
    pipelining: 1,
    headersTimeout: 0,
    bodyTimeout: 0,
    maxResponseSize: maxResponseBytes,
    connect: skippingInterim(
      buildConnector({
        timeout: connectTimeoutMs,
        // Said although it is the default: NODE_TLS_REJECT_UNAUTHORIZED would switch it off.
        rejectUnauthorized: true,
        ...(caPem === undefined ? {} : { ca: trustedCertificates(caPem) }),
      }),
    ),
  });
  const fixedHeaders = ["Accept", "application/json", "Accept-Encoding", "identity", "Accept-Language", "en"];
  fixedHeaders.push("User-Agent", options.userAgent);

  return {
    /**
     * Sends one request.
     * @throws {Error} undici's or the system's; the reason of the signal when that was aborted
     */
    send: ({ method, path, headers }: HttpRequest, signal: AbortSignal) =>
      new Promise<UpstreamResponse>((resolve, reject) => {
        if (signal.aborted) {
          reject(signal.reason);
          return;
        }
        const handler = new ResponseHandler(signal, resolve, reject);
        signal.addEventListener("abort", handler);
        pool.dispatch({ method, path: root + path, headers: [...fixedHeaders, ...headers] }, handler);
      }),
    /** Ends every connection, idle or not. */
    close: () => pool.destroy(),
  };
}

/** Where authentik's API is, below the prefix that its URL may have. */
export function apiPath({ pathname }: URL): string {
  return `${pathname.replace(/\/+$/, "")}/api/v3`;
}

/** Collects one response. A class, since one object for all of undici's calls costs least. */
class ResponseHandler implements Dispatcher.DispatchHandler, EventListenerObject {
  readonly #signal: AbortSignal;
  readonly #resolve: (response: UpstreamResponse) => void;
  readonly #reject: (error: Error) => void;
  #controller: Dispatcher.DispatchController | null = null;
  #startedAtMs = 0;
  #interim = 0;
  #status = 0;
  #headers: Record<string, string | string[] | undefined> = {};
  readonly #body = new GrowingBuffer();

  constructor(
    signal: AbortSignal,
    resolve: (response: UpstreamResponse) => void,
    reject: (error: Error) => void,
  ) {
    this.#signal = signal;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** The signal was aborted. */
  handleEvent(): void {
    this.#fail(this.#signal.reason);
    this.#controller?.abort(this.#signal.reason);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    this.#startedAtMs = performance.now();
    if (this.#signal.aborted) controller.abort(this.#signal.reason);
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    this.#status = status;
    this.#headers = headers;
    if (status >= 200) return;
    this.#interim += 1;
    if (this.#interim > MAX_INTERIM_RESPONSES)
      controller.abort(Object.assign(new Error("too many interim responses"), { code: "INTERIM_RESPONSES" }));
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#body.append(chunk);
  }

  onResponseEnd(): void {
    this.#signal.removeEventListener("abort", this);
    this.#resolve({
      status: this.#status,
      contentType: this.#header("content-type"),
      contentEncoding: this.#header("content-encoding"),
      retryAfter: this.#header("retry-after"),
      upstreamRequestId: this.#header("x-authentik-id"),
      // JSON is UTF-8; whatever else came is none.
      body: this.#body.text() ?? "",
      bytes: this.#body.length,
      latencyMs: performance.now() - this.#startedAtMs,
    });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#fail(error);
  }

  #fail(error: Error): void {
    this.#signal.removeEventListener("abort", this);
    this.#reject(error);
  }

  #header(name: string): string {
    const value = this.#headers[name];
    return typeof value === "string" ? value : (value?.[0] ?? "");
  }
}

/**
 * The certificate authorities Node trusts by default plus those in `caPem`.
 *
 * undici's and Node's `ca` option replaces the defaults, so they have to be repeated. Where Node can tell its effective
 * defaults (22.15 and later, with `NODE_EXTRA_CA_CERTS` and the system store) those are used, else its bundled list.
 */
function trustedCertificates(caPem: string): string[] {
  const modern: typeof tls & { getCACertificates?: (kind: "default") => string[] } = tls;
  return [...(modern.getCACertificates?.("default") ?? tls.rootCertificates), caPem];
}

const INTERIM = /^HTTP\/1\.1 10[023] /;
const STATUS_LENGTH = "HTTP/1.1 100 ".length;
const HEAD_END = "\r\n\r\n";
/** Before one response; what sends more is taken for broken. */
const MOST_SKIPPED = 10;

/**
 * A connector whose sockets keep interim responses to themselves: 100, 102 and 103, in any order. A client must be able to
 * take them unasked (RFC 9110, 15.2), and proxies send them; undici 7 ends the connection at a 100, and has no option for
 * it. One that comes in pieces is left to undici: with a 100 such a read is sent once more.
 */
function skippingInterim(connect: buildConnector.connector): buildConnector.connector {
  return (options, callback) =>
    connect(options, (...[error, socket]) => {
      if (error) {
        callback(error, null);
        return;
      }
      skipInterim(socket);
      callback(null, socket);
    });
}

function skipInterim(socket: Socket): void {
  const read = socket.read.bind(socket);
  const write = socket.write.bind(socket);
  /** How many may still come before the response that is awaited; 0 while it is read: its body may hold anything. */
  let expected = 0;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- of a function of several forms TypeScript knows the last
  socket.write = ((...request: Parameters<typeof write>) => {
    expected = MOST_SKIPPED;
    return write(...request);
  }) as typeof write;
  socket.read = (size?: number) => {
    let chunk: Buffer | null = read(size);
    for (; chunk !== null && expected > 0; expected -= 1) {
      const end = INTERIM.test(chunk.toString("latin1", 0, STATUS_LENGTH)) ? chunk.indexOf(HEAD_END) : -1;
      if (end === -1) {
        expected = 0;
        break;
      }
      const rest: Buffer = chunk.subarray(end + HEAD_END.length);
      chunk = rest.length > 0 ? rest : read(size);
    }
    return chunk;
  };
}
