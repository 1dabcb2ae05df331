import type { Answer } from "./answer.ts";
import { Refusal, jsonAnswer, pageAnswer, refuse } from "./answer.ts";
import type { Call } from "./call.ts";
import { notFound } from "./call.ts";
import { connectionBody } from "./connection-body.ts";
import type { Connection, User } from "./directory.ts";
import type { SortKeys } from "./ordering.ts";
import { sortRows } from "./ordering.ts";
import { listAnswer } from "./pagination.ts";
import { toPythonInt } from "./python-int.ts";
import { keyFilter, textFilter } from "./query.ts";
import type { ReleaseTraits } from "./releases.ts";
import { createSearch } from "./search.ts";
import { refuseAnonymous } from "./tokens.ts";

const sortKeys: SortKeys<Connection> = {
  pk: ({ pk }) => pk,
  user: ({ user }) => user.pk,
  source: ({ source }) => source.pk,
  source__slug: ({ source }) => source.slug,
  identifier: ({ identifier }) => identifier,
  created: ({ created }) => created,
  last_updated: ({ lastUpdated }) => lastUpdated,
  plex_token: ({ plexToken }) => plexToken,
};

function sortableFields({ connection }: ReleaseTraits): string[] {
  return [
    "pk",
    "user",
    "source",
    "identifier",
    ...(connection.created === "absent" ? [] : ["created"]),
    ...(connection.created === "with-last-updated" ? ["last_updated"] : []),
    ...(connection.plexToken ? ["plex_token"] : []),
  ];
}

/** Superusers see all, others their own; from 2025.2 on the global permission counts too. */
function sees(caller: User, connection: Connection, { grants }: ReleaseTraits): boolean {
  if (caller.superuser || connection.user === caller) return true;
  return grants === "global-permission" && caller.viewsAllConnections;
}

/** Whether the caller may see a connection and the filters and the search leave it. */
function createVisibility(caller: User, { query, directory, traits }: Call): (row: Connection) => boolean {
  const user = traits.connection.userFilter ? keyFilter(query, "user", directory.users) : undefined;
  const slug = textFilter(query, "source__slug");
  const matches = createSearch(query.get("search"), traits);
  const searchedText = (row: Connection): string[] =>
    traits.connection.searched.map((field) => {
      if (field === "identifier") return row.identifier;
      return field === "source__slug" ? row.source.slug : row.user.username;
    });
  return (row) =>
    sees(caller, row, traits) &&
    (user === undefined || row.user.pk === user) &&
    (slug === undefined || row.source.slug === slug) &&
    matches(searchedText(row));
}

/** `GET /sources/user_connections/plex/` */
export function listConnections(call: Call): Answer {
  if (call.caller === null) throw refuseAnonymous();
  const { query, traits } = call;
  const visible = [...call.directory.connections.values()].filter(createVisibility(call.caller, call));
  const rows = sortRows(visible, query.get("ordering"), {
    keys: sortKeys,
    allowed: sortableFields(traits),
    fallback: traits.connection.defaultOrdering,
  });
  return listAnswer(rows, { query, traits, write: (row) => connectionBody(row, traits) });
}

/**
 * The connection that a path names, if the caller may see it.
 * @throws {Refusal} 404 for what is not there or not visible; 403 or, from 2025.2 on, 500 for anonymous callers
 */
export function findConnection(call: Call): Connection {
  const { caller, key, directory, traits } = call;
  if (caller === null) {
    throw traits.anonymousRetrieveFails ? new Refusal(pageAnswer(500, "Server Error")) : refuseAnonymous();
  }
  const isVisible = createVisibility(caller, call);
  const pk = toPythonInt(key);
  if (pk === null) throw refuse(404, "Not found.");
  const connection = directory.connections.get(Number(pk));
  if (connection === undefined || !isVisible(connection)) throw notFound(traits.connection.modelName, traits);
  return connection;
}

/** `GET /sources/user_connections/plex/{id}/` */
export function retrieveConnection(call: Call): Answer {
  return jsonAnswer(connectionBody(findConnection(call), call.traits));
}

/** `GET /sources/user_connections/plex/{id}/used_by/`: nothing refers to a connection. */
export function listUsesOfConnection(call: Call): Answer {
  findConnection(call);
  return jsonAnswer([]);
}
