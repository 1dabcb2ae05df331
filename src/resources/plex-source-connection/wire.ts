import { readObject, readOptionalDateTime, readPk, readString } from "../../authentik/shape.ts";
import { readSource, type Source } from "../source/wire.ts";

/** A user's link to a Plex account, the same for every release of authentik. */
export interface PlexSourceConnection {
  pk: number;
  /** Primary key of the authentik user. */
  user: number;
  source: Source;
  /** Number of the Plex account, as text. */
  identifier: string;
  /** Since 2024.8; RFC 3339. */
  created: string | null;
  /** Since 2025.4; RFC 3339. */
  lastUpdated: string | null;
}

/**
 * A connection as any release writes it.
 *
 * Decides by shape: until 2024.10 `source` is the object itself, since 2024.12 it is a UUID and the object is in
 * `source_obj`. The `plex_token` that releases until 2024.6 send along is dropped here, before anything sees it.
 * @throws {AuthentikError} malformed-response, with the path of the first wrong field
 */
export function readPlexSourceConnection(value: unknown, path = "$"): PlexSourceConnection {
  const connection = readObject(value, path);
  const sourceKey = typeof connection["source"] === "string" ? "source_obj" : "source";
  return {
    pk: readPk(connection, "pk", path),
    user: readPk(connection, "user", path),
    source: readSource(connection[sourceKey], `${path}.${sourceKey}`),
    identifier: readString(connection, "identifier", path),
    created: readOptionalDateTime(connection, "created", path),
    lastUpdated: readOptionalDateTime(connection, "last_updated", path),
  };
}
