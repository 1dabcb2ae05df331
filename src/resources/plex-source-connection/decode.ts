import { decodeObject, decodeOptionalDateTime, decodePk, decodeString } from "../../authentik/decoders.ts";
import { decodeSource } from "../source/decode.ts";

/** A user's link to a Plex account, the same for every release of authentik. */
export type PlexSourceConnection = ReturnType<typeof decodePlexSourceConnection>;

/**
 * A connection as any release writes it.
 *
 * Decides by shape: until 2024.10 `source` is the object itself, since 2024.12 it is a UUID and the object is in
 * `source_obj`. The `plex_token` that releases until 2024.6 send along is dropped here, before anything sees it.
 * @throws {AuthentikError} malformed-response, with the path of the first wrong field
 */
export function decodePlexSourceConnection(value: unknown, path = "$") {
  const connection = decodeObject(value, path);
  const sourceKey = typeof connection["source"] === "string" ? "source_obj" : "source";
  return {
    pk: decodePk(connection, "pk", path),
    /** Primary key of the authentik user. */
    user: decodePk(connection, "user", path),
    source: decodeSource(connection[sourceKey], `${path}.${sourceKey}`),
    /** Number of the Plex account, as text. */
    identifier: decodeString(connection, "identifier", path),
    /** Since 2024.8; RFC 3339. */
    created: decodeOptionalDateTime(connection, "created", path),
    /** Since 2025.4; RFC 3339. */
    lastUpdated: decodeOptionalDateTime(connection, "last_updated", path),
  };
}
