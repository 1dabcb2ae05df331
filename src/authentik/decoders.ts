import { AuthentikError } from "./authentik-error.ts";

/** A JSON object whose fields nobody has looked at yet. */
export type JsonObject = Readonly<Record<string, unknown>>;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
// RFC 3339 as Django REST framework writes it: a fraction only where there is one, `Z` or an offset.
const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;

/** Largest key that authentik's 32-bit integer columns can hold. */
export const MAX_PK = 2_147_483_647;

/**
 * Whether a text is a UUID in the form that authentik uses.
 * Such a text is safe inside a path.
 */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/**
 * Whether authentik filters by a text as it stands. It cuts spaces off its ends first; nothing that has some there is found,
 * and nothing but spaces would be no filter at all.
 */
export function isFilterable(text: string): boolean {
  return !/^[\s\p{Cc}]|[\s\p{Cc}]$/u.test(text);
}

/** Longest text in a field of the log that a client or authentik can fill, in characters. */
const MAX_TEXT_LENGTH = 128;

/** The beginning of a text, with an ellipsis where something was cut off, and no half of a surrogate pair. */
export function shortened<Text extends string | undefined>(
  text: Text,
  maxLength: number = MAX_TEXT_LENGTH,
): Text | string {
  if (text === undefined) return text;
  return text.length <= maxLength ? text.toWellFormed() : `${text.slice(0, maxLength).toWellFormed()}…`;
}

/**
 * The error for a response that is valid JSON and not what was asked for.
 * Names the path of the first wrong field and the kind of value there, never the value.
 */
export function malformed(path: string, expected: string, value: unknown): AuthentikError {
  const found = value === null ? "null" : Array.isArray(value) ? "a list" : typeof value;
  return new AuthentikError("malformed-response", "authentik answered with another shape than its API has", {
    detail: `${path}: expected ${expected}, got ${found === "undefined" ? "nothing" : found}`,
  });
}

/** Whether a parsed JSON value is an object, and neither a list nor null. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** @throws {AuthentikError} malformed-response */
export function decodeObject(value: unknown, path: string): JsonObject {
  if (!isJsonObject(value)) throw malformed(path, "an object", value);
  return value;
}

/** @throws {AuthentikError} malformed-response */
export function decodeString(object: JsonObject, key: string, path: string): string {
  const value = object[key];
  if (typeof value !== "string") throw malformed(`${path}.${key}`, "text", value);
  return value;
}

/** A list of texts. */
export function decodeStrings(object: JsonObject, key: string, path: string): readonly string[] {
  const value = object[key];
  if (!Array.isArray(value)) throw malformed(`${path}.${key}`, "a list of texts", value);
  return value.map((item: unknown, index) => {
    if (typeof item !== "string") throw malformed(`${path}.${key}[${index}]`, "text", item);
    return item;
  });
}

/** @throws {AuthentikError} malformed-response */
export function decodeBoolean(object: JsonObject, key: string, path: string): boolean {
  const value = object[key];
  if (typeof value !== "boolean") throw malformed(`${path}.${key}`, "true or false", value);
  return value;
}

/** A primary key: an integer from 1 to {@link MAX_PK}. */
export function decodePk(object: JsonObject, key: string, path: string): number {
  const value = object[key];
  if (typeof value !== "number" || !Number.isInteger(value) || value < 1 || value > MAX_PK) {
    throw malformed(`${path}.${key}`, "a positive 32-bit integer", value);
  }
  return value;
}

/** A UUID in lower case. */
export function decodeUuid(object: JsonObject, key: string, path: string): string {
  const value = object[key];
  if (typeof value !== "string" || !UUID.test(value)) throw malformed(`${path}.${key}`, "a UUID", value);
  return value.toLowerCase();
}

/** A UUID, or null where the field is null. */
export function decodeOptionalUuid(object: JsonObject, key: string, path: string): string | null {
  return object[key] === null ? null : decodeUuid(object, key, path);
}

function decodeUuids(object: JsonObject, key: string, path: string): readonly string[] {
  return decodeStrings(object, key, path).map((item, index) => {
    if (!UUID.test(item)) throw malformed(`${path}.${key}[${index}]`, "a UUID", item);
    return item.toLowerCase();
  });
}

function decodeDateTime(object: JsonObject, key: string, path: string): string {
  const value = object[key];
  if (typeof value !== "string" || !DATE_TIME.test(value) || Number.isNaN(Date.parse(value)))
    throw malformed(`${path}.${key}`, "a date and time", value);
  return value;
}

type Decode<T> = (object: JsonObject, key: string, path: string) => T;

/** The same, or null where the field is null or the release does not have it. */
function optional<T>(decode: Decode<T>): Decode<T | null> {
  return (object, key, path) =>
    object[key] === undefined || object[key] === null ? null : decode(object, key, path);
}

export const decodeOptionalString = optional(decodeString);
export const decodeOptionalBoolean = optional(decodeBoolean);
/** UUIDs in lower case. */
export const decodeOptionalUuids = optional(decodeUuids);
/** A point in time as RFC 3339 text. */
export const decodeOptionalDateTime = optional(decodeDateTime);
