import { refuseParameter } from "./answer.ts";
import { toPythonInt } from "./python-int.ts";

/** The parameters of a request. Of a repeated one the last value counts, as in Django. */
export interface Query {
  get(name: string): string | undefined;
}

/** Reads what follows the question mark. */
export function parseQuery(text: string): Query {
  const parameters = new URLSearchParams(text);
  return { get: (name) => parameters.getAll(name).at(-1) };
}

/**
 * The value of a filter over text; undefined where it does not filter.
 * @throws {Refusal} 400 for a NUL character
 */
export function textFilter(query: Query, name: string): string | undefined {
  const value = query.get(name)?.trim();
  if (value === undefined || value === "") return undefined;
  if (value.includes("\0")) throw refuseParameter(name, "Null characters are not allowed.");
  return value;
}

/**
 * The key of a filter over existing objects; undefined where it does not filter.
 * @throws {Refusal} 400 for what is no key, and for keys of nothing
 */
export function keyFilter(
  query: Query,
  name: string,
  known: ReadonlyMap<number, unknown>,
): number | undefined {
  const value = query.get(name);
  if (value === undefined || value === "") return undefined;
  const key = toPythonInt(value);
  if (key === null || !known.has(Number(key))) {
    throw refuseParameter(name, "Select a valid choice. That choice is not one of the available choices.");
  }
  return Number(key);
}

/**
 * The value of a filter over UUIDs, in lower case with hyphens; undefined where it does not filter.
 * @throws {Refusal} 400 for what Python does not read as a UUID
 */
export function uuidFilter(query: Query, name: string): string | undefined {
  const value = query.get(name)?.trim();
  if (value === undefined || value === "") return undefined;
  const digits = value.replaceAll(/urn:|uuid:|^\{+|\}+$|-/g, "").toLowerCase();
  if (!/^[\da-f]{32}$/.test(digits)) throw refuseParameter(name, "Enter a valid UUID.");
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/** The value of a filter over true and false; anything else does not filter. */
export function booleanFilter(query: Query, name: string): boolean | undefined {
  const value = query.get(name)?.toLowerCase();
  return value === "true" ? true : value === "false" ? false : undefined;
}
