import { Pool } from "undici";
import { trustedCertificates } from "./trusted-certificates.ts";

/** A complete answer, read into memory. */
export interface Answer {
  status: number;
  contentType: string;
  /** `Retry-After` as sent; empty when absent. */
  retryAfter: string;
  /** `X-authentik-id`; empty when absent. */
  upstreamRequestId: string;
  body: string;
  bytes: number;
}

/** What becomes of one request. Exactly one of `onAnswer` and `onFailure` is called, once, never before `send` returned. */
export interface Exchange {
  /** The request is being written to a connected socket. */
  onSent(): void;
  onAnswer(answer: Answer): void;
  /** undici's or the system's error; also after `cancel`. */
  onFailure(error: Error): void;
}

/** Sends GETs to one origin. Knows HTTP, not what an answer means. */
export interface Transport {
  /**
   * Sends one GET. The result cancels it: the exchange fails when the socket is given back, which is at once,
   * or when an attempt to connect has ended.
   */
  send(path: string, headers: string[], exchange: Exchange): () => void;
  /** Ends every connection, idle or not. */
  close(): Promise<void>;
}

export interface TransportOptions {
  /** Base URL; its path is put before every path. */
  url: URL;
  caPem?: string | undefined;
  /** Most sockets at once. */
  connections: number;
  connectTimeoutMs: number;
  maxResponseBytes: number;
}

/** Idle sockets are closed before authentik's router or a proxy does it, so that no request meets a closing one. */
const KEEP_ALIVE_TIMEOUT_MS = 4_000;

/**
 * A pool of keep-alive connections to one fixed origin; paths are joined by concatenation, so that none can change the host.
 *
 * It uses undici's `dispatch` with the raw handler: no streams, no header objects, one string of the body.
 * undici's own timers are off: every exchange has a deadline that its owner enforces with the cancel function.
 */
export function createTransport(options: TransportOptions): Transport {
  const base = `${options.url.pathname.replace(/\/+$/, "")}/api/v3`;
  const pool = new Pool(options.url.origin, {
    connections: options.connections,
    pipelining: 1,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    headersTimeout: 0,
    bodyTimeout: 0,
    maxResponseSize: options.maxResponseBytes,
    connect: {
      timeout: options.connectTimeoutMs,
      ...(options.caPem === undefined ? {} : { ca: trustedCertificates(options.caPem) }),
    },
  });

  return {
    send(path, headers, exchange) {
      let abort: ((error?: Error) => void) | null = null;
      let cancelled = false;
      let status = 0;
      let contentType = "";
      let retryAfter = "";
      let upstreamRequestId = "";
      let first: Buffer | null = null;
      let more: Buffer[] | null = null;

      pool.dispatch(
        { path: base + path, method: "GET", headers },
        {
          onConnect(abortRequest) {
            abort = abortRequest;
            if (cancelled) abortRequest();
            else exchange.onSent();
          },
          onHeaders(statusCode, rawHeaders) {
            status = statusCode;
            for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
              const name = rawHeaders[index];
              const value = rawHeaders[index + 1];
              if (name === undefined || value === undefined) break;
              // Lengths first: most headers need no look at their letters.
              if (name.length === 12 && isNamed(name, "content-type")) contentType = value.toString("latin1");
              else if (name.length === 11 && isNamed(name, "retry-after"))
                retryAfter = value.toString("latin1");
              else if (name.length === 14 && isNamed(name, "x-authentik-id"))
                upstreamRequestId = value.toString("latin1");
            }
            return true;
          },
          onData(chunk) {
            if (first === null) first = chunk;
            else if (more === null) more = [first, chunk];
            else more.push(chunk);
            return true;
          },
          onComplete() {
            const body = more === null ? first : Buffer.concat(more);
            exchange.onAnswer({
              status,
              contentType,
              retryAfter,
              upstreamRequestId,
              body: body === null ? "" : body.toString(),
              bytes: body === null ? 0 : body.length,
            });
          },
          onError(error) {
            exchange.onFailure(error);
          },
        },
      );

      return () => {
        cancelled = true;
        abort?.();
      };
    },
    close: () => pool.destroy(),
  };
}

function isNamed(name: Buffer, lowerCase: string): boolean {
  return name.toString("latin1").toLowerCase() === lowerCase;
}
