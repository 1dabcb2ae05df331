/** What the fake authentik sends: bodies in the key order of real servers. Not imported by the product. */

export type WireObject = Record<string, unknown>;

/** The UUID that {@link sourceBody} has unless told otherwise. */
export const PLEX_SOURCE_PK = "5eed0000-0000-4000-8000-00000000000a";

/** A source as it is nested in a connection. */
export function sourceBody(overrides: WireObject = {}): WireObject {
  return {
    pk: PLEX_SOURCE_PK,
    name: "Plex",
    slug: "plex",
    enabled: true,
    authentication_flow: "5eed0000-0000-4000-8000-000000000001",
    enrollment_flow: "5eed0000-0000-4000-8000-000000000002",
    user_property_mappings: ["5eed0000-0000-4000-8000-000000000014"],
    group_property_mappings: ["5eed0000-0000-4000-8000-000000000015"],
    component: "",
    verbose_name: "source",
    verbose_name_plural: "sources",
    meta_model_name: "authentik_core.source",
    policy_engine_mode: "any",
    user_matching_mode: "identifier",
    managed: null,
    user_path_template: "goauthentik.io/sources/%(slug)s",
    icon: null,
    ...overrides,
  };
}

/** A Plex connection as releases 2024.8 and 2024.10 send it. */
export function connectionBody(pk: number, overrides: WireObject = {}): WireObject {
  return {
    pk,
    user: 1000 + pk,
    source: sourceBody(),
    created: "2024-09-12T08:31:22.104982Z",
    identifier: String(70_000_000 + pk),
    ...overrides,
  };
}

/** A Plex source as `/sources/plex/` sends it, with the token of the server's owner. */
export function plexSourceBody(overrides: WireObject = {}): WireObject {
  return sourceBody({
    component: "ak-source-plex-form",
    verbose_name: "Plex Source",
    verbose_name_plural: "Plex Sources",
    meta_model_name: "authentik_sources_plex.plexsource",
    client_id: "client-of-plex",
    allowed_servers: ["aaaabbbbccccdddd"],
    allow_friends: true,
    plex_token: "canary-plex-token-of-source",
    ...overrides,
  });
}

/** A user as `/core/users/` sends them. */
export function userBody(pk: number, username: string, overrides: WireObject = {}): WireObject {
  return {
    pk,
    username,
    name: username.replace(/^./, (letter) => letter.toUpperCase()),
    is_active: true,
    last_login: "2025-01-02T03:04:05.678901Z",
    is_superuser: false,
    groups: [FAMILY_PK],
    groups_obj: [{ pk: FAMILY_PK, num_pk: 12617, name: "family", is_superuser: false, attributes: {} }],
    email: `${username}@home.example`,
    avatar: "/static/dist/assets/images/user_default.png",
    attributes: { secret: "canary-attribute" },
    uid: "0".repeat(64),
    path: "users",
    type: "internal",
    ...overrides,
  };
}

/** The UUID of the group that {@link userBody} has. */
export const FAMILY_PK = "5eed0000-0000-4000-8000-000000000022";

/** One page of a list; `rows` are the rows of this page, `count` those of all pages (default: this is the only page). */
export function listBody(
  rows: readonly unknown[],
  options: { page?: number; pageSize?: number; count?: number } = {},
): WireObject {
  const page = options.page ?? 1;
  const pageSize = options.pageSize ?? 100;
  const count = options.count ?? rows.length;
  const totalPages = Math.max(1, Math.ceil(count / pageSize));
  return {
    pagination: {
      next: page < totalPages ? page + 1 : 0,
      previous: page - 1,
      count,
      current: page,
      total_pages: totalPages,
      start_index: rows.length === 0 ? 0 : (page - 1) * pageSize + 1,
      end_index: (page - 1) * pageSize + rows.length,
    },
    results: rows,
  };
}

/** A Django error page, as authentik sends it for a 404 outside the API and for every 500. */
export function errorPage(heading: string): string {
  return `<!DOCTYPE html><html lang="en"><head><title>authentik</title></head><body><h1>${heading}</h1></body></html>`;
}
