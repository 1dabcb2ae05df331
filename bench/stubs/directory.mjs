/**
 * The directory that both stubs serve: connections with the keys 1 to N, of which a caller may see all or a few, and
 * the people who own them. Who sees what is in the bearer token, so that one running stub serves every size at once.
 */

/** @typedef {{ directory: number, visible: number }} Sight rows that exist, rows that the caller may see */

/** Users that exist, with the keys 1001 to 1200: from the 201st on, connections belong to them in turn. */
const PEOPLE = 200;

/**
 * A token of a caller who sees `visible` rows of a directory of `directory` rows.
 * @param {{ directory: number, visible?: number, caller?: string | number }} options `visible` absent: all of them
 * @returns {string}
 */
export function tokenFor({ directory, visible, caller = "bench" }) {
  return `d${directory}${visible === undefined ? "" : `v${visible}`}-${caller}`;
}

/**
 * @param {string | undefined} authorization the whole header value; `bearer` and `BEARER` are as good as `Bearer`
 * @returns {Sight | null | undefined} undefined without a bearer token, null for one that tokenFor did not make
 */
export function sightOf(authorization) {
  const bearer = /^bearer (.*)$/i.exec(authorization ?? "");
  if (!bearer) return undefined;
  const sizes = /^d(\d+)(?:v(\d+))?-/.exec(bearer[1]);
  if (!sizes) return null;
  const directory = Number(sizes[1]);
  return { directory, visible: Math.min(directory, Number(sizes[2] ?? directory)) };
}

/** The rank-th key (from 1) that the caller may see; the visible ones are spread evenly over the directory. */
function visiblePk({ directory, visible }, rank) {
  return Math.ceil((rank * directory) / visible);
}

/** @param {Sight} sight @param {number} pk */
export function maySee(sight, pk) {
  if (pk < 1 || pk > sight.directory || sight.visible < 1) return false;
  return visiblePk(sight, Math.floor((pk * sight.visible) / sight.directory)) === pk;
}

const SOURCE = {
  pk: "7a1c4a0e-6c0b-4f57-9d0e-2b8a0f6f3c11",
  name: "Plex",
  slug: "plex",
  enabled: true,
  authentication_flow: "0d3f2f5a-8a51-4d3b-9a0e-5c9f3a1b7e10",
  enrollment_flow: null,
  user_property_mappings: ["3e9b1f62-7c44-4a8e-9c1d-0a5b6c7d8e9f"],
  group_property_mappings: [],
  component: "",
  verbose_name: "source",
  verbose_name_plural: "sources",
  meta_model_name: "authentik_core.source",
  policy_engine_mode: "any",
  user_matching_mode: "identifier",
  managed: null,
  user_path_template: "goauthentik.io/sources/%(slug)s",
  icon: null,
};

/** A connection as authentik 2025.8 sends it. @param {number} pk */
export function connectionRow(pk) {
  return {
    pk,
    user: 1001 + ((pk - 1) % PEOPLE),
    source: SOURCE.pk,
    source_obj: SOURCE,
    identifier: String(10_000_000 + pk),
    created: "2024-09-12T08:31:22.104982Z",
    last_updated: "2025-08-21T09:14:03.512734Z",
  };
}

const GROUP = { pk: "c2f1e0d9-7b3a-4c55-8e21-6f0d4b9a7713", num_pk: 12_617, name: "family" };

/** A user as authentik 2025.12 lists and retrieves it. @param {number} pk */
export function userRow(pk) {
  return {
    pk,
    username: `user-${pk}`,
    name: `User ${pk}`,
    is_active: true,
    last_login: null,
    is_superuser: false,
    groups: [GROUP.pk],
    groups_obj: [{ ...GROUP, is_superuser: false, attributes: {} }],
    email: `user-${pk}@home.example`,
    avatar: "/static/dist/assets/images/user_default.png",
    attributes: {},
    uid: `${"0".repeat(60)}${pk}`,
    path: "users",
    type: "internal",
    uuid: `6788bda6-e62c-4cee-9863-00000000${pk}`,
  };
}

/** @param {number} pk */
export const isUser = (pk) => pk > 1000 && pk <= 1000 + PEOPLE;
const pages = (count, size) => Math.max(1, Math.ceil(count / size));

/** A list as a caller sees it: how many rows, and the n-th of them, from 1. @typedef {{ count: number, row: (rank: number) => any }} Listing */

/** @param {any[]} rows @returns {Listing} */
const listed = (rows) => ({ count: rows.length, row: (rank) => rows[rank - 1] });

/**
 * The connections a caller sees, by the filters and orderings that the gateways ask for.
 * @param {Sight} sight
 * @param {URLSearchParams} query
 * @returns {Listing}
 */
export function connectionListing(sight, query) {
  const [user, slug, search] = ["user", "source__slug", "search"].map((name) => query.get(name));
  const ordering = query.get("ordering") ?? "pk";
  const all = { count: sight.visible, row: (rank) => connectionRow(visiblePk(sight, rank)) };
  if (slug !== null && slug !== SOURCE.slug) return listed([]);
  if (user === null && search === null && ordering !== "user") {
    // Keys, identifiers and times all grow together here.
    return ordering.startsWith("-") ? { ...all, row: (rank) => all.row(all.count + 1 - rank) } : all;
  }
  const rows = Array.from({ length: all.count }, (_, i) => all.row(i + 1))
    .filter((row) => user === null || row.user === Number(user))
    .filter(
      (row) => search === null || `${row.identifier} ${userRow(row.user).username} plex`.includes(search),
    );
  if (ordering === "user") rows.sort((a, b) => a.user - b.user);
  return listed(ordering.startsWith("-") ? rows.toReversed() : rows);
}

/** @param {URLSearchParams} query @returns {Listing} */
export function userListing(query) {
  const username = query.get("username");
  if (username === null) return { count: PEOPLE, row: (rank) => userRow(1000 + rank) };
  const pk = Number(/^user-(\d+)$/.exec(username)?.[1]);
  return listed(isUser(pk) ? [userRow(pk)] : []);
}

/** The sources, as `sources/plex/` or `sources/all/` shows them. @param {"plex" | "all"} kind @returns {Listing} */
export function sourceListing(kind) {
  const shown = { ...SOURCE, component: "ak-source-plex-form", verbose_name: "Plex Source" };
  const secret = {
    client_id: "client-of-plex",
    allowed_servers: ["aaaabbbbccccdddd"],
    allow_friends: true,
    plex_token: "x",
  };
  return listed([kind === "plex" ? { ...shown, ...secret } : shown]);
}

/**
 * One page, or null where authentik says "Invalid page."
 * @param {Listing} listing
 * @param {{ page: number, pageSize: number }} options
 */
export function pageOf({ count, row }, { page, pageSize }) {
  const total = pages(count, pageSize);
  if (page < 1 || page > total) return null;
  const first = (page - 1) * pageSize + 1;
  const last = Math.min(page * pageSize, count);
  return {
    pagination: {
      next: page < total ? page + 1 : 0,
      previous: page - 1,
      count,
      current: page,
      total_pages: total,
      start_index: count ? first : 0,
      end_index: last,
    },
    results: Array.from({ length: last - first + 1 }, (_, i) => row(first + i)),
    autocomplete: {},
  };
}
