import type { ExecutionResult } from "graphql";
import type { GraphQLParams } from "graphql-yoga";
import { isJsonObject } from "../authentik/shape.ts";
import { presentResult } from "../graphql/present.ts";
import type { Answer, AnswerMediaType } from "./answer.ts";
import type { Exchange } from "./exchange.ts";
import { statusOf } from "./status.ts";

/** An execution's result; its text is made once for everyone where it is the same for everyone. */
export interface Outcome {
  result: ExecutionResult;
  text?: string;
}

/** The parameters of one operation, or null for everything that yoga's own parser should judge. */
export function parseParams(body: string): GraphQLParams | null {
  try {
    const params: unknown = JSON.parse(body);
    return isJsonObject(params) ? params : null;
  } catch {
    return null;
  }
}

/** The answer to one of the clients that wait for an outcome: errors carry this client's own request id. */
export function answerOf(outcome: Outcome, exchange: Exchange, mediaType: AnswerMediaType): Answer {
  const { result } = outcome;
  if (outcome.text !== undefined) return { status: 200, mediaType, body: outcome.text };
  const presentation = presentResult(result, exchange);
  for (const code of presentation.codes) exchange.codes.add(code);
  const body = JSON.stringify(presentation.result);
  if (!presentation.result.errors && presentation.executed) outcome.text = body;
  return {
    status: statusOf(presentation, mediaType),
    mediaType,
    body,
    ...(presentation.http ? { headers: presentation.http.headers } : {}),
  };
}
