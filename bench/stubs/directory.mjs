/**
 * The directory that both stubs serve: connections with the keys 1 to N, of which a caller may see all or a few.
 * Who sees what is in the bearer token, so that one running stub serves every size at once.
 */

/** @typedef {{ directory: number, visible: number }} Sight rows that exist, rows that the caller may see */

const DEFAULT_DIRECTORY = 1000;

/**
 * A token of a caller who sees `visible` rows of a directory of `directory` rows.
 * @param {{ directory: number, visible?: number, caller?: string | number }} options `visible` absent: all of them
 * @returns {string}
 */
export function tokenFor({ directory, visible, caller = "bench" }) {
  return `d${directory}${visible === undefined ? "" : `v${visible}`}-${caller}`;
}

/**
 * @param {string | undefined} authorization the whole header value
 * @returns {Sight | null} null without a bearer token
 */
export function sightOf(authorization) {
  const bearer = /^bearer (.*)$/i.exec(authorization ?? "");
  if (!bearer) return null;
  const sizes = /^d(\d+)(?:v(\d+))?/.exec(bearer[1]);
  const directory = sizes ? Number(sizes[1]) : DEFAULT_DIRECTORY;
  return { directory, visible: Math.min(directory, sizes?.[2] === undefined ? directory : Number(sizes[2])) };
}

/**
 * The rank-th key (from 1) that the caller may see; the visible ones are spread evenly over the directory.
 * @param {Sight} sight
 * @param {number} rank
 */
export function visiblePk({ directory, visible }, rank) {
  return Math.ceil((rank * directory) / visible);
}

/**
 * @param {Sight} sight
 * @param {number} pk
 */
export function maySee(sight, pk) {
  if (pk < 1 || pk > sight.directory || sight.visible < 1) return false;
  return visiblePk(sight, Math.floor((pk * sight.visible) / sight.directory)) === pk;
}

/**
 * A connection as authentik 2025.8 sends it.
 * @param {number} pk
 */
export function connectionRow(pk) {
  return {
    pk,
    user: 1000 + pk,
    source: "7a1c4a0e-6c0b-4f57-9d0e-2b8a0f6f3c11",
    source_obj: {
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
    },
    identifier: String(10_000_000 + pk),
    created: "2024-09-12T08:31:22.104982Z",
    last_updated: "2025-08-21T09:14:03.512734Z",
  };
}

/**
 * One page of the caller's list, or null where authentik says "Invalid page."
 * @param {Sight} sight
 * @param {{ page: number, pageSize: number }} options
 */
export function listPage(sight, { page, pageSize }) {
  const pages = Math.max(1, Math.ceil(sight.visible / pageSize));
  if (page < 1 || page > pages) return null;
  const first = (page - 1) * pageSize + 1;
  const last = Math.min(page * pageSize, sight.visible);
  const results = [];
  for (let rank = first; rank <= last; rank++) results.push(connectionRow(visiblePk(sight, rank)));
  return {
    pagination: {
      next: page < pages ? page + 1 : 0,
      previous: page - 1,
      count: sight.visible,
      current: page,
      total_pages: pages,
      start_index: sight.visible ? first : 0,
      end_index: last,
    },
    results,
    autocomplete: {},
  };
}
