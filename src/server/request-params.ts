import { isJsonObject, type JsonObject } from "../authentik/decoders.ts";
import { clientError } from "../graphql/errors.ts";
import type { ResponseMediaType } from "./graphql-response.ts";
import type { IdentifiedCaller } from "./run-operation.ts";

/** Routers ask for a trace of the operation with it. */
export const TRACE_HEADER = "apollo-federation-include-trace";

/** A request to the graph, guarded, read and parsed. */
export interface GraphQLRequest {
  method: string | undefined;
  params: ParsedParams;
  /** The parameters as text: what identical operations are recognised by. */
  text: string;
  mediaType: ResponseMediaType;
  caller: IdentifiedCaller;
}

/** What one GraphQL request says. Members that the specification does not know are left out. */
export interface RequestParams {
  query?: string | undefined;
  operationName?: string | undefined;
  variables?: JsonObject | undefined;
  extensions?: JsonObject | undefined;
}

/** What a client sent as parameters, not checked yet; or the error that says why it cannot be read. */
export type ParsedParams = unknown;

/**
 * The parameters of a GET's query or a POST's body: of one operation, or of as many as a JSON array holds.
 * Specification: https://graphql.github.io/graphql-over-http/draft/#sec-Request-Parameters
 */
export function parseParams(request: {
  method: string | undefined;
  search: URLSearchParams;
  body: string;
}): ParsedParams {
  try {
    return request.method === "GET" ? parseSearch(request.search) : parseBody(request.body);
  } catch (error) {
    return error;
  }
}

function parseBody(body: string): unknown {
  // RFC 8259, 8.1, allows to ignore a byte order mark, with which editors on Windows begin a file.
  const value = parseJson(body.replace(/^\uFEFF/, ""), "The body");
  if (Array.isArray(value) && value.length === 0)
    throw badRequest("A batch must hold at least one operation.");
  return value;
}

function parseSearch(search: URLSearchParams): JsonObject {
  const json = (name: string): unknown => {
    const text = search.get(name);
    return text === null || text === "" ? undefined : parseJson(text, name);
  };
  return {
    query: search.get("query") ?? undefined,
    operationName: search.get("operationName") ?? undefined,
    variables: json("variables"),
    extensions: json("extensions"),
  };
}

/** Checks one operation's parameters. @throws {GraphQLError} BAD_REQUEST, which names the parameter */
export function checkParams(value: ParsedParams): RequestParams {
  if (value instanceof Error) throw value;
  if (!isJsonObject(value)) throw badRequest("An operation must be a JSON object with a query.");
  const extensions = optional(value["extensions"], "extensions", isJsonObject, "an object");
  // Empty texts mean none.
  const query = optional(value["query"], "query", isString, "a string") || undefined;
  if (query === undefined && !isHash(extensions?.["persistedQuery"]))
    throw badRequest("Send the operation as query, or its hash in extensions.persistedQuery.");
  return {
    query,
    operationName: optional(value["operationName"], "operationName", isString, "a string") || undefined,
    variables: optional(value["variables"], "variables", isJsonObject, "an object"),
    extensions,
  };
}

function isHash(value: unknown): boolean {
  return isJsonObject(value) && typeof value["sha256Hash"] === "string" && value["version"] === 1;
}

function optional<T>(
  value: unknown,
  name: string,
  isRight: (value: unknown) => value is T,
  expected: string,
): T | undefined {
  if (value === undefined || value === null) return undefined;
  if (!isRight(value)) throw badRequest(`${name} must be ${expected}.`);
  return value;
}

function isString(value: unknown): value is string {
  return typeof value === "string";
}

function parseJson(text: string, name: string): unknown {
  try {
    // `unknown` on purpose: the client decides what it is.
    return JSON.parse(text) as unknown;
  } catch {
    throw badRequest(`${name} must be JSON.`);
  }
}

function badRequest(message: string): Error {
  return clientError("BAD_REQUEST", message);
}
