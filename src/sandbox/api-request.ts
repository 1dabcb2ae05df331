import type { Directory, User } from "./directory.ts";
import type { Release } from "./releases.ts";
import { httpErrors } from "./rest-response.ts";

/** One request to a route of the API, after its credentials were read. */
export interface ApiRequest {
  caller: User;
  /** The part of the path that names one object; empty for lists. */
  key: string;
  query: URLSearchParams;
  directory: Directory;
  release: Release;
}

/** The value of a query parameter, undefined where it does not filter. Of a repeated one the last counts. */
export function parameter({ query }: ApiRequest, name: string): string | undefined {
  return query.getAll(name).at(-1)?.trim() || undefined;
}

/** The value of a filter over UUIDs. @throws {HttpError} 400 for what is none */
export function uuidParameter(request: ApiRequest, name: string): string | undefined {
  const value = parameter(request, name)?.toLowerCase();
  if (value !== undefined && !/^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/.test(value)) {
    throw httpErrors.parameter(name, "Enter a valid UUID.");
  }
  return value;
}
