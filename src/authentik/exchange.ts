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
  /** undici's or the system's error; also after a cancellation. */
  onFailure(error: Error): void;
}

/** What differs between the heads of two GETs. */
export interface GetHead {
  /** Path and query below the base URL's API. */
  readonly path: string;
  readonly requestId: string;
  /** Null: none is shown. */
  readonly authorization: string | null;
}
