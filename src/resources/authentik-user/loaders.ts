import type { AuthentikClient } from "../../authentik/client.ts";
import { isFilterable, malformed } from "../../authentik/decoders.ts";
import { AuthentikError, isRefusalOf, orError } from "../../authentik/authentik-error.ts";
import { createFilterLookup } from "../../authentik/lookup/by-filter.ts";
import { type Anchor, type Order, readWindow, type Window } from "../../authentik/lookup/list-window.ts";
import { listRoute, readPage } from "../../authentik/lookup/list-pages.ts";
import { createPkLookup } from "../../authentik/lookup/by-pk.ts";
import { loaderPerRequest } from "../loader.ts";
import {
  type AuthentikGroup,
  type AuthentikUser,
  decodeAuthentikGroup,
  decodeAuthentikUser,
} from "./decode.ts";
import { viewerOrError, withViewer } from "./viewer.ts";

const ROUTE = "/core/users/";

/** A row of users takes authentik 2 ms, one of connections 2.6 ms and more. */
const ROW_WEIGHT = 0.6;

const usersList = (filter: string) => listRoute(ROUTE, `${filter}ordering=pk`, decodeAuthentikUser);

const everybody = { ...usersList(""), rowWeight: ROW_WEIGHT, isForbiddenAsWhole: true };

const byPk = createPkLookup<AuthentikUser>({
  retrieve: (pk) => ({ route: `${ROUTE}{id}/`, path: `${ROUTE}${pk}/` }),
  ...everybody,
});

const byUsername = createFilterLookup<string, AuthentikUser>({
  ...everybody,
  keyOf: (user) => user.username,
  async filter(client, username) {
    const path = `${ROUTE}?username=${encodeURIComponent(username)}`;
    const { rows } = await readPage(
      client,
      { list: () => ({ route: ROUTE, path, rows: 1 }), decode: decodeAuthentikUser },
      { page: 1, pageSize: 1 },
    );
    return rows.filter((user) => user.username === username);
  },
});

/**
 * Users by primary key, for one caller: retrieved or picked from the list, whichever costs authentik less.
 * Everybody finds themselves. A key that does not exist loads as null.
 * @throws {AuthentikError} per key, never for the batch
 */
export const authentikUserByPk = loaderPerRequest((client, pks: readonly number[]) =>
  withViewer(client, pks, {
    is: (user, pk) => user.pk === pk,
    look: (some) => byPk(client, some),
    // They come from connections, which end with their user.
    mayBeHidden: true,
  }),
);

/** The same by user name, in which case matters. Who may read only some others is found once they are known (ADR 11). */
export const authentikUserByUsername = loaderPerRequest(
  (client, usernames: readonly string[], maxRows: number) =>
    withViewer(client, usernames, {
      is: (user, username) => user.username === username,
      mayBeHidden: false,
      look: async (some) =>
        (await byUsername(client, some, maxRows)).map((rows) => {
          if (rows instanceof AuthentikError) return rows;
          const [user = null] = rows;
          if (user) authentikUserByPk(client).prime(user.pk, user);
          return user;
        }),
    }),
);

/**
 * When users logged in last, by their primary key; null: never.
 * For who was read through `core/users/me/`, which does not tell.
 * @throws {AuthentikError} per key, never for the batch
 */
export const lastLoginByPk = loaderPerRequest(async (client, pks: readonly number[]) =>
  (await byPk(client, pks)).map((user) => {
    if (user instanceof AuthentikError) return user;
    // Whoever was read through `core/users/me/` exists.
    return user
      ? (user.lastLogin ?? null)
      : new AuthentikError("forbidden", "this user cannot be read by key");
  }),
);

/** What a list of users may be narrowed by; all that is given must hold. */
export interface AuthentikUserFilter {
  email?: string | null | undefined;
  /** In e-mail addresses, names, user names and UUIDs. */
  search?: string | null | undefined;
  isActive?: boolean | null | undefined;
  /** Name of a group. */
  group?: string | null | undefined;
}

/** How lists of users are sorted. */
export const USER_ORDER: Order<AuthentikUser> = { direction: 1, key: (user) => [user.pk] };

/**
 * A page of the users that the caller may see, by primary key.
 * @throws {AuthentikError}
 */
export async function authentikUsers(
  client: AuthentikClient,
  filter: AuthentikUserFilter,
  { size, after }: { size: number; after: Anchor | null },
): Promise<Window<AuthentikUser>> {
  const { email, search, isActive, group } = filter;
  if (typeof email === "string" && !isFilterable(email)) return { rows: [], count: 0 };
  const query = new URLSearchParams();
  if (typeof email === "string") query.set("email", email);
  if (typeof search === "string") query.set("search", search);
  if (typeof isActive === "boolean") query.set("is_active", String(isActive));
  if (typeof group === "string") query.set("groups_by_name", group);
  const route = usersList(query.size === 0 ? "" : `${query.toString()}&`);
  try {
    const page = await readWindow(client, route, { size, after, order: USER_ORDER });
    if (!page.rows.every(({ row }) => holds(row, filter)))
      throw malformed("$.results", "users that the filter holds for", page.rows);
    for (const { row } of page.rows) authentikUserByPk(client).prime(row.pk, row);
    return page;
  } catch (error) {
    // authentik refuses the name of a group that does not exist.
    if (isRefusalOf(error, "groups_by_name")) return { rows: [], count: 0 };
    throw error;
  }
}

function holds(user: AuthentikUser, { email, isActive, group }: AuthentikUserFilter): boolean {
  return (
    (typeof email !== "string" || user.email === email) &&
    (typeof isActive !== "boolean" || user.isActive === isActive) &&
    (typeof group !== "string" || user.groups === null || user.groups.some(({ name }) => name === group))
  );
}

/**
 * Groups by primary key (a UUID in lower case), for one caller. Who may not read a group finds it if it is their own.
 * A key that does not exist loads as null.
 * @throws {AuthentikError} per key, never for the batch
 */
export const authentikGroupByPk = loaderPerRequest((client, pks: readonly string[]) =>
  Promise.all(pks.map((pk) => retrieveGroup(client, pk))),
);

async function retrieveGroup(
  client: AuthentikClient,
  pk: string,
): Promise<AuthentikGroup | null | AuthentikError> {
  const request = { route: "/core/groups/{id}/", path: `/core/groups/${pk}/?include_users=false` };
  const decode = (body: unknown): AuthentikGroup => {
    const found = decodeAuthentikGroup(body);
    if (found.pk !== pk) throw malformed("$.pk", "the key that was asked for", found.pk);
    return found;
  };
  const group = await orError(client.get(request).then(decode));
  if (!(group instanceof AuthentikError)) return group;
  const { kind } = group;
  if (kind !== "forbidden" && kind !== "not-found") return group;
  // Who may read no groups, or only some, finds their own.
  const viewer = await viewerOrError(client);
  if (viewer instanceof AuthentikError) return viewer;
  return viewer.groups?.find((own) => own.pk === pk) ?? (kind === "forbidden" ? group : null);
}
