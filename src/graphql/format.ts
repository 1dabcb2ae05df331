import { type ExecutionResult, type FormattedExecutionResult, GraphQLError } from "graphql";
import { isJsonObject, type JsonObject } from "../authentik/decoders.ts";
import { type FormattedError, formatError } from "./errors.ts";

/** A result as clients get it. */
export interface FormattedResult extends FormattedExecutionResult {
  errors?: readonly FormattedError[];
}

/** The result and what HTTP should say about it. */
export interface Formatted {
  result: FormattedResult;
  /** False where the request never became an execution: then the status may be 4xx. */
  executed: boolean;
  /** Codes of its errors, each once. */
  codes: readonly string[];
  /** The status that a request error asked for by itself, such as 405 for a mutation by GET. */
  status: number | null;
}

/**
 * Turns an execution's result into what the client may see; formatting twice changes nothing.
 * @param options.onProblem takes what an operator should see and a client must not
 */
export function formatResult(
  { data, errors, extensions }: ExecutionResult,
  options: { requestId: string; onProblem?: (problem: JsonObject) => void },
): Formatted {
  const executed = data !== undefined;
  if (executed && !errors && !extensions) return { result: { data }, executed, codes: [], status: null };
  const formatted: FormattedResult = {};
  const codes = new Set<string>();
  let status: number | null = null;
  if (errors && errors.length > 0) {
    formatted.errors = errors.map((error) => {
      status ??= executed ? null : askedStatusOf(error);
      const seen = isFormatted(error)
        ? error
        : formatError(error, { ...options, fallbackCode: "BAD_USER_INPUT" });
      codes.add(seen.extensions.code);
      return seen;
    });
  }
  if (executed) formatted.data = data;
  if (extensions) formatted.extensions = extensions;
  return { result: formatted, executed, codes: [...codes], status };
}

const texts = new WeakMap<object, string>();

/** A result as JSON. */
export function textOf(result: FormattedResult): string {
  const { data, errors, extensions } = result;
  const known = data && !errors && !extensions ? texts.get(data) : undefined;
  return known ?? JSON.stringify(result);
}

/** From now on `textOf` knows the JSON of this data, for results that many get. */
export function keepText(data: NonNullable<ExecutionResult["data"]>): string {
  const text = textOf({ data });
  texts.set(data, text);
  return text;
}

function isFormatted(error: unknown): error is FormattedError {
  return (
    isJsonObject(error) &&
    !(error instanceof GraphQLError) &&
    isJsonObject(error["extensions"]) &&
    typeof error["extensions"]["requestId"] === "string"
  );
}

function askedStatusOf(error: unknown): number | null {
  const http: unknown = error instanceof GraphQLError ? error.extensions["http"] : null;
  return isJsonObject(http) && typeof http["status"] === "number" && http["spec"] !== true
    ? http["status"]
    : null;
}
