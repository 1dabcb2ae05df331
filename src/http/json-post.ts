import type { GraphQLParams } from "graphql-yoga";
import { isJsonObject } from "../authentik/decoders.ts";
import { presentResult } from "../graphql/present.ts";
import type { Answer, AnswerMediaType } from "./answer.ts";
import type { Exchange } from "./exchange.ts";
import type { Execution, Outcome } from "./execution.ts";
import { statusOf } from "./status.ts";

/** The parameters of one operation, or null for everything that yoga's own parser should judge. */
export function parseParams(body: string): GraphQLParams | null {
  try {
    const params: unknown = JSON.parse(body);
    return isJsonObject(params) ? params : null;
  } catch {
    return null;
  }
}

/** The answer to one of the clients that wait for an execution: errors carry this client's own request id. */
export function answerOf(
  execution: Execution,
  outcome: Outcome,
  { exchange, mediaType }: { exchange: Exchange; mediaType: AnswerMediaType },
): Answer {
  if (execution.text !== undefined) return { status: 200, mediaType, body: execution.text };
  if ("status" in outcome) return outcome;
  const presentation = presentResult(outcome, exchange);
  for (const code of presentation.codes) exchange.codes.add(code);
  const body = JSON.stringify(presentation.result);
  if (!presentation.result.errors && presentation.executed) execution.text = body;
  return {
    status: statusOf(presentation, mediaType),
    mediaType,
    body,
    ...(presentation.http ? { headers: presentation.http.headers } : {}),
  };
}
