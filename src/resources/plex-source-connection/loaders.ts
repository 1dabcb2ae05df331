import DataLoader from "dataloader";
import { perRequest } from "../../authentik/per-request.ts";
import { createPkLookup } from "../../authentik/lookup/by-pk.ts";
import { type PlexSourceConnection, readPlexSourceConnection } from "./wire.ts";

const ROUTE = "/sources/user_connections/plex/";

const lookup = createPkLookup<PlexSourceConnection>({
  retrieve: (pk) => ({ route: `${ROUTE}{id}/`, path: `${ROUTE}${pk}/` }),
  list: ({ page, pageSize, rows }) => ({
    route: ROUTE,
    path: `${ROUTE}?ordering=pk&page=${page}&page_size=${pageSize}`,
    rows,
  }),
  decode: readPlexSourceConnection,
});

/**
 * Plex source connections by primary key, for one caller.
 * authentik has no lookup of several keys, so few keys are retrieved one by one and many are picked from the list.
 * A key the caller may not see loads as null, as authentik answers 404 for it.
 * @throws {AuthentikError} per key, never for the batch
 */
export const plexSourceConnectionByPk = perRequest(
  (authentik) => new DataLoader<number, PlexSourceConnection | null>((pks) => lookup(authentik, pks)),
);
