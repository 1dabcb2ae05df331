import type { Connection } from "./directory.ts";
import type { ReleaseTraits } from "./releases.ts";
import { baseSourceBody } from "./source-body.ts";

/** A connection as one release writes it, keys in its order. */
export function connectionBody(connection: Connection, traits: ReleaseTraits): Record<string, unknown> {
  const { plexToken, created, source } = traits.connection;
  const sourceObject = baseSourceBody(connection.source, traits);
  return {
    pk: connection.pk,
    user: connection.user.pk,
    ...(source === "object"
      ? { source: sourceObject }
      : { source: connection.source.pk, source_obj: sourceObject }),
    ...(created === "before-identifier" && { created: connection.created }),
    identifier: connection.identifier,
    ...(created === "with-last-updated" && {
      created: connection.created,
      last_updated: connection.lastUpdated,
    }),
    ...(plexToken && { plex_token: connection.plexToken }),
  };
}
