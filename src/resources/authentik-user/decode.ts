import {
  decodeBoolean,
  decodeObject,
  decodeOptionalDateTime,
  decodePk,
  decodeString,
  decodeUuid,
  type JsonObject,
  malformed,
} from "../../authentik/decoders.ts";

/** A group that an authentik user is in. */
export type AuthentikGroup = ReturnType<typeof decodeAuthentikGroup>;

/** A person or service that authentik knows, the same for every release. */
export type AuthentikUser = ReturnType<typeof decodeUser>;

/**
 * A user as `core/users/` has it.
 * Everything that is not listed here, such as attributes, is dropped.
 * @throws {AuthentikError} malformed-response, with the path of the first wrong field
 */
export function decodeAuthentikUser(value: unknown, path = "$"): AuthentikUser {
  const user = decodeObject(value, path);
  return decodeUser(user, path, {
    lastLogin: decodeOptionalDateTime(user, "last_login", path),
    groups: decodeGroups(user["groups_obj"], `${path}.groups_obj`),
  });
}

/** The caller, as `core/users/me/` has them: the groups are in `groups`, and the last login is not told. */
export function decodeAuthentikViewer(value: unknown): AuthentikUser {
  const user = decodeObject(decodeObject(value, "$")["user"], "$.user");
  const groups = decodeGroups(user["groups"], "$.user.groups");
  return decodeUser(user, "$.user", { lastLogin: undefined, groups });
}

/** @throws {AuthentikError} malformed-response */
export function decodeAuthentikGroup(value: unknown, path = "$") {
  const group = decodeObject(value, path);
  return { pk: decodeUuid(group, "pk", path), name: decodeString(group, "name", path) };
}

function decodeUser(
  user: JsonObject,
  path: string,
  {
    lastLogin,
    groups,
  }: {
    lastLogin: string | null | undefined;
    groups: readonly AuthentikGroup[] | null;
  },
) {
  return {
    pk: decodePk(user, "pk", path),
    username: decodeString(user, "username", path),
    name: decodeString(user, "name", path),
    /** Null: none. */
    email: optionalText(user["email"]),
    isActive: decodeBoolean(user, "is_active", path),
    /** May be relative, or the picture itself as a `data:` URL. */
    avatar: optionalText(user["avatar"]),
    /** RFC 3339; null: never. Undefined: `core/users/me/` does not tell. */
    lastLogin,
    /** Null: not told. */
    groups,
  };
}

/** Text, or null where there is none: authentik writes an empty one then. */
function optionalText(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

function decodeGroups(value: unknown, path: string): readonly AuthentikGroup[] | null {
  if (value === undefined || value === null) return null;
  if (!Array.isArray(value)) throw malformed(path, "a list of groups", value);
  return value.map((group, index) => decodeAuthentikGroup(group, `${path}[${index}]`));
}
