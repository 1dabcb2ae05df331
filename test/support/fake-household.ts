import {
  connectionOf,
  FAMILY_PK,
  listBody,
  plexSourceBody,
  userBody,
  type WireObject,
  type WireShape,
} from "./wire-bodies.ts";

// Users, sources and connections with authentik's permissions and filters, for the fake server.

/** What the fake server answers with: who shows `Bearer token-of-<username>` is that user. */
export interface Household {
  readonly shape: WireShape;
  readonly users: WireObject[];
  readonly sources: WireObject[];
  readonly connections: WireObject[];
}

/** An answer of the API: 204 has no body. */
export interface ApiAnswer {
  status: number;
  body?: unknown;
}

const PLEX = "5eed0000-0000-4000-8000-00000000000a";
const CINEMA = "5eed0000-0000-4000-8000-00000000000b";

/**
 * administrator (41), alice (42: connections 5 and 7), bob (43: connection 6, which claims alice's account), stranger (53:
 * none), and as many viewers from 1001 on, each with one connection of the same key through the source cinema.
 */
export function household(shape: WireShape, { viewers = 0 }: { viewers?: number } = {}): Household {
  const plex = plexSourceBody();
  const cinema = plexSourceBody({
    pk: CINEMA,
    slug: "cinema",
    name: "Cinema",
    client_id: "client-of-cinema",
  });
  const numbers = Array.from({ length: viewers }, (_, index) => 1001 + index);
  return {
    shape,
    sources: [cinema, plex],
    users: [
      userBody(41, "administrator", { is_superuser: true }),
      userBody(42, "alice"),
      userBody(43, "bob", { last_login: null, email: "" }),
      userBody(53, "stranger", { groups: [], groups_obj: [] }),
      ...numbers.map((pk) => userBody(pk, `viewer${pk}`)),
    ],
    connections: [
      connectionOf(shape, { pk: 5, user: 42, identifier: "12345678", source: plex }),
      connectionOf(shape, { pk: 6, user: 43, identifier: "12345678", source: plex }),
      connectionOf(shape, { pk: 7, user: 42, identifier: "123456789", source: cinema }),
      ...numbers.map((pk) =>
        connectionOf(shape, { pk, user: pk, identifier: String(70_000_000 + pk), source: cinema }),
      ),
    ],
  };
}

const VERSIONS: Readonly<Record<WireShape, string>> = {
  "2024.2": "2024.2.4",
  "2024.8": "2024.8.1",
  "2025.4": "2025.8.1",
  "2025.12": "2025.12.4",
};

const NO_PERMISSION = { status: 403, body: { detail: "You do not have permission to perform this action." } };
const NOT_FOUND = { status: 404, body: { detail: "Not found." } };

/** Answers one request below `/api/v3`. Null: no route of the household's. */
export function answerAsHousehold(
  house: Household,
  { method, path, authorization }: { method: string; path: string; authorization: string | undefined },
): ApiAnswer | null {
  if (authorization === undefined) {
    return { status: 403, body: { detail: "Authentication credentials were not provided." } };
  }
  const username = /^Bearer token-of-(.+)$/.exec(authorization)?.[1];
  const caller = house.users.find((user) => user["username"] === username);
  if (!caller) return { status: 403, body: { detail: "Token invalid/expired" } };
  const [route = "", search = ""] = path.split("?");
  const query = new URLSearchParams(search);
  const key = /\/([^/]+)\/$/.exec(route)?.[1] ?? "";
  switch (route.replace(/^\/core\/(users|groups)\/[0-9a-f-]+\/$/, "/core/$1/{id}/")) {
    case "/admin/version/":
      return { status: 200, body: { version_current: VERSIONS[house.shape] } };
    case "/core/users/me/":
      return { status: 200, body: { user: meOf(caller) } };
    case "/core/users/":
      return caller["is_superuser"] === true ? usersPage(house, query) : NO_PERMISSION;
    case "/core/users/{id}/":
      if (caller["is_superuser"] !== true) return NO_PERMISSION;
      return one(house.users.find((user) => user["pk"] === Number(key)));
    case "/core/groups/{id}/":
      if (caller["is_superuser"] !== true) return NO_PERMISSION;
      return one(key === FAMILY_PK ? { pk: FAMILY_PK, name: "family" } : undefined);
    case "/sources/plex/":
    case "/sources/all/":
      return caller["is_superuser"] === true ? sourcesPage(house, query) : NO_PERMISSION;
  }
  const connection = /^\/sources\/user_connections\/plex\/(?:(\d+)\/)?$/.exec(route);
  if (!connection) return null;
  const visible = house.connections.filter(
    (row) => caller["is_superuser"] === true || row["user"] === caller["pk"],
  );
  if (connection[1] === undefined) return connectionsPage(house, visible, query);
  const found = visible.find((row) => row["pk"] === Number(connection[1]));
  if (method !== "DELETE" || !found) return one(found);
  house.connections.splice(house.connections.indexOf(found), 1);
  return { status: 204 };
}

function one(body: WireObject | undefined): ApiAnswer {
  return body ? { status: 200, body } : NOT_FOUND;
}

function meOf({ pk, username, name, is_active, is_superuser, groups_obj, email, avatar }: WireObject) {
  return { pk, username, name, is_active, is_superuser, groups: groups_obj, email, avatar, settings: {} };
}

function usersPage(house: Household, query: URLSearchParams): ApiAnswer {
  const group = query.get("groups_by_name");
  if (group !== null && group !== "family") {
    return { status: 400, body: { groups_by_name: [`Select a valid choice. ${group} is not one.`] } };
  }
  const rows = house.users.filter(
    (user) =>
      (!query.get("username") || user["username"] === query.get("username")) &&
      (!query.get("email") || user["email"] === query.get("email")) &&
      (!query.get("search") || String(user["username"]).includes(query.get("search") ?? "")) &&
      (!query.get("is_active") || String(user["is_active"]) === query.get("is_active")) &&
      (group === null || (Array.isArray(user["groups"]) && user["groups"].length > 0)),
  );
  return pageOf(house, rows, query);
}

function sourcesPage(house: Household, query: URLSearchParams): ApiAnswer {
  const rows = house.sources.filter((row) => !query.get("slug") || row["slug"] === query.get("slug"));
  return pageOf(house, rows, query);
}

function connectionsPage(
  house: Household,
  visible: readonly WireObject[],
  query: URLSearchParams,
): ApiAnswer {
  const user = query.get("user");
  const filtersByUser = house.shape !== "2024.2" && user !== null;
  if (filtersByUser && !house.users.some((one) => String(one["pk"]) === user)) {
    return { status: 400, body: { user: ["Select a valid choice."] } };
  }
  const search = query.get("search")?.toLowerCase();
  const searched = house.shape === "2024.2" || house.shape === "2024.8" ? [slugOf] : [slugOf, identifierOf];
  const source = query.get("source__slug");
  const rows = visible.filter(
    (row) =>
      (!filtersByUser || String(row["user"]) === user) &&
      (!source || slugOf(row) === source) &&
      (!search || searched.some((text) => text(row).toLowerCase().includes(search))),
  );
  return pageOf(house, rows.toSorted(ordering(query.get("ordering") ?? "pk")), query);
}

function slugOf(row: WireObject): string {
  const source = row["source_obj"] ?? row["source"];
  return typeof source === "object" && source !== null && "slug" in source ? String(source.slug) : "";
}

function identifierOf(row: WireObject): string {
  return String(row["identifier"]);
}

/** As Django orders: fields that the rows do not have are skipped. */
function ordering(fields: string): (a: WireObject, b: WireObject) => number {
  return (a, b) => {
    for (const field of fields.split(",")) {
      const [sign, name] = field.startsWith("-") ? [-1, field.slice(1)] : [1, field];
      const [left, right] = [a[name], b[name]] as (string | number)[];
      if (left === undefined || right === undefined || left === right) continue;
      return left < right ? -sign : sign;
    }
    return 0;
  };
}

function pageOf(house: Household, rows: readonly WireObject[], query: URLSearchParams): ApiAnswer {
  const largest = house.shape === "2025.12" ? 100 : Infinity;
  const pageSize = Math.min(Number(query.get("page_size") ?? 20), largest);
  const page = Number(query.get("page") ?? 1);
  if (page > Math.max(1, Math.ceil(rows.length / pageSize))) {
    return { status: 404, body: { detail: "Invalid page." } };
  }
  const some = rows.slice((page - 1) * pageSize, page * pageSize);
  return { status: 200, body: listBody(some, { page, pageSize, count: rows.length }) };
}

export { CINEMA as CINEMA_PK, PLEX as PLEX_PK };
