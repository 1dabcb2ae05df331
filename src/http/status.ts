import type { Presentation } from "../graphql/present.ts";
import type { AnswerMediaType } from "./answer.ts";

/** Statuses of requests that never became an execution, for clients that understand them. */
const STATUS_OF_CODE: Readonly<Record<string, number>> = {
  INTERNAL_SERVER_ERROR: 500,
  OVERLOADED: 503,
  UNAUTHENTICATED: 401,
};

/**
 * The HTTP status of a GraphQL result.
 *
 * An execution is 200, whatever its fields came to. A request that is no well-formed GraphQL request is 4xx in both
 * media types; a well-formed one that cannot be executed is 4xx in `application/graphql-response+json` and 200 in
 * `application/json`, whose clients cannot tell whose 4xx it would be.
 * Specification: https://graphql.github.io/graphql-over-http/draft/#sec-Status-Codes
 */
export function statusOf(presentation: Presentation, mediaType: AnswerMediaType): number {
  if (presentation.executed) return 200;
  if (presentation.http) return presentation.http.status;
  const [code = ""] = presentation.codes;
  const status = STATUS_OF_CODE[code];
  if (status !== undefined) return status;
  return code === "BAD_REQUEST" || mediaType === "application/graphql-response+json" ? 400 : 200;
}
