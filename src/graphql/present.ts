import { type ExecutionResult, GraphQLError } from "graphql";
import { isJsonObject, type JsonObject } from "../authentik/decoders.ts";
import { type PresentedError, presentError } from "./errors.ts";

/** A result as clients get it. */
export interface PresentedResult {
  errors?: readonly PresentedError[];
  data?: ExecutionResult["data"];
  extensions?: JsonObject;
}

/** The result and what HTTP should say about it. */
export interface Presentation {
  result: PresentedResult;
  /** False where the request never became an execution: then the status may be 4xx. */
  executed: boolean;
  /** Codes of its errors, each once. */
  codes: readonly string[];
  /** Status and headers that a request error asked for by itself, such as 405 for a mutation by GET. */
  http: { status: number; headers: Readonly<Record<string, string>> } | null;
}

/**
 * Turns an execution's result into what the client may see; presenting twice changes nothing.
 * @param options.onProblem takes what an operator should see and a client must not
 */
export function presentResult(
  result: ExecutionResult,
  options: { requestId: string; onProblem?: (problem: JsonObject) => void },
): Presentation {
  const executed = result.data !== undefined;
  if (executed && !result.errors && !result.extensions) {
    return { result: { data: result.data }, executed, codes: [], http: null };
  }
  const presented: PresentedResult = {};
  const codes = new Set<string>();
  let http: Presentation["http"] = null;
  if (result.errors && result.errors.length > 0) {
    presented.errors = result.errors.map((error) => {
      http ??= executed ? null : httpOf(error);
      const seen = alreadyPresented(error)
        ? error
        : presentError(error, { ...options, fallbackCode: "BAD_USER_INPUT" });
      codes.add(seen.extensions.code);
      return seen;
    });
  }
  if (executed) presented.data = result.data;
  const extensions = withoutHttp(result.extensions);
  if (extensions) presented.extensions = extensions;
  return { result: presented, executed, codes: [...codes], http };
}

function alreadyPresented(error: unknown): error is PresentedError {
  return (
    isJsonObject(error) &&
    !(error instanceof GraphQLError) &&
    isJsonObject(error["extensions"]) &&
    typeof error["extensions"]["requestId"] === "string"
  );
}

function httpOf(error: unknown): Presentation["http"] {
  const http: unknown = error instanceof GraphQLError ? error.extensions["http"] : null;
  if (!isJsonObject(http) || typeof http["status"] !== "number" || http["spec"] === true) return null;
  const headers: Record<string, string> = {};
  const given: unknown = http["headers"];
  // yoga names the methods with every malformed request; they say something with 405 only.
  if (http["status"] === 405 && isJsonObject(given)) {
    for (const [name, value] of Object.entries(given)) if (typeof value === "string") headers[name] = value;
  }
  return { status: http["status"], headers };
}

function withoutHttp(extensions: ExecutionResult["extensions"]): JsonObject | null {
  if (!extensions) return null;
  const { http: _http, ...rest } = extensions;
  return Object.keys(rest).length > 0 ? rest : null;
}
