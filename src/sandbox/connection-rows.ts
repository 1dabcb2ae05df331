import { type Connection, isSuperuser, type Row, type User } from "./directory.ts";
import { type ApiRequest, compare, createSearch, listPage, parameter } from "./list.ts";
import type { Release } from "./releases.ts";
import { forbidden, invalidChoice, noMatch } from "./rest-response.ts";
import { baseSourceBody } from "./sources.ts";

/** A connection as one release writes it, keys in its order. */
function connectionBody(connection: Connection, release: Release): Row {
  const { since } = release;
  const { created, identifier } = connection;
  const source = baseSourceBody(connection.source, release);
  return {
    pk: connection.pk,
    user: connection.user.pk,
    ...(since("2024.12") ? { source: connection.source.pk, source_obj: source } : { source }),
    ...(since("2024.8") && !since("2025.4") && { created }),
    identifier,
    ...(since("2025.4") && { created, last_updated: connection.lastUpdated }),
    ...(!since("2024.8") && { plex_token: `canary-plex-token-of-connection-${connection.pk}` }),
  };
}

/** Superusers see all, others their own; from 2025.2 on the global permission counts too. */
function sees({ caller, release }: ApiRequest, connection: Connection): boolean {
  if (isSuperuser(caller) || connection.user === caller) return true;
  return release.since("2025.2") && caller.viewsAll;
}

/** The value of `?user=`, if it filters. @throws {HttpError} 400 for keys of nobody */
function userParameter(request: ApiRequest): User | undefined {
  const key = parameter(request, "user");
  const user = request.directory.users.get(Number(key));
  if (key !== undefined && user === undefined) throw invalidChoice("user", "That choice");
  return user;
}

/** `GET /sources/user_connections/plex/` */
export function listConnections(request: ApiRequest): Row {
  const { directory, release } = request;
  const user = release.since("2024.8") ? userParameter(request) : undefined;
  const slug = parameter(request, "source__slug");
  const matches = createSearch(request);
  const rows = [...directory.connections.values()].filter(
    (row) =>
      sees(request, row) &&
      (user === undefined || row.user === user) &&
      (slug === undefined || row.source.slug === slug) &&
      matches([row.source.slug, ...(release.since("2025.4") ? [row.user.username, row.identifier] : [])]),
  );
  // The usual order is that of keys, since 2024.8 within the slugs of sources.
  const slugOf = ({ source }: Connection): string => (release.since("2024.8") ? source.slug : "");
  rows.sort((left, right) => compare(slugOf(left), slugOf(right)) || left.pk - right.pk);
  return listPage(request, rows, (row) => connectionBody(row, release));
}

/** @throws {HttpError} 404 for what is not there or not visible */
function findConnection(request: ApiRequest): Connection {
  const { key, directory, release } = request;
  const connection = directory.connections.get(Number(key));
  if (connection !== undefined && sees(request, connection)) return connection;
  // Its older name, PlexSourceConnection, is from releases whose 404 names no model.
  throw noMatch("UserPlexSourceConnection", release);
}

/** `GET /sources/user_connections/plex/{id}/` */
export function retrieveConnection(request: ApiRequest): Row {
  return connectionBody(findConnection(request), request.release);
}

/** `DELETE /sources/user_connections/plex/{id}/`: for owners and superusers; who only sees it may not remove it. */
export function deleteConnection(request: ApiRequest): void {
  const connection = findConnection(request);
  const { caller, directory } = request;
  if (caller !== connection.user && !isSuperuser(caller)) throw forbidden();
  directory.connections.delete(connection.pk);
}
