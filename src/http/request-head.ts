import type { IncomingHttpHeaders } from "node:http";

/** A request without its body, as node:http hands it over and as the plain door reads it. */
export interface RequestHead {
  readonly method?: string | undefined;
  /** Path and query as sent. */
  readonly url?: string | undefined;
  /** By name in lower case. */
  readonly headers: IncomingHttpHeaders;
  /** Names as sent and values, in turn. */
  readonly rawHeaders: readonly string[];
}
