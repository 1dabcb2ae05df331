import type { Row, Source } from "./directory.ts";
import { type ApiRequest, compare, listPage, parameter } from "./list.ts";
import type { Release } from "./releases.ts";
import { HttpError } from "./rest-response.ts";

/** What `sources/all/` and `sources/plex/` know of a kind, and the icon that it lends. */
const kinds = {
  // A connection refers to the base class of sources, whatever kind they are.
  base: { component: "", name: "source", model: "authentik_core.source", icon: null },
  plex: {
    component: "ak-source-plex-form",
    name: "Plex Source",
    model: "authentik_sources_plex.plexsource",
    icon: "/static/authentik/sources/plex.svg",
  },
  ldap: {
    component: "ak-source-ldap-form",
    name: "LDAP Source",
    model: "authentik_sources_ldap.ldapsource",
    icon: "/static/authentik/sources/ldap.png",
  },
} as const;

function iconFields({ icon }: Source, lent: string | null, { since }: Release): Row {
  const isOld = !since("2025.12");
  const file = isOld ? `/media/public/${icon}` : `/files/media/public/${icon}?token=SIGNED`;
  const url = icon === null ? lent : icon.startsWith("https:") ? icon : file;
  return isOld ? { icon: url } : { icon: icon ?? "", icon_url: url, icon_themed_urls: null };
}

/** A source as one release writes it, keys in its order. */
function sourceBody(source: Source, kind: (typeof kinds)[keyof typeof kinds], release: Release): Row {
  const { since } = release;
  const { user_property_mappings = [], group_property_mappings = [], ...settings } = source.settings;
  const usual = {
    pk: source.pk,
    name: source.name,
    slug: source.slug,
    enabled: true,
    ...(since("2025.12") && { promoted: false }),
    authentication_flow: null,
    enrollment_flow: null,
    ...(since("2024.8") && { user_property_mappings, group_property_mappings }),
    component: kind.component,
    verbose_name: kind.name,
    verbose_name_plural: `${kind.name}s`,
    meta_model_name: kind.model,
    policy_engine_mode: "any",
    user_matching_mode: "identifier",
    managed: null,
    user_path_template: "goauthentik.io/sources/%(slug)s",
    ...iconFields(source, since("2024.6") ? kind.icon : null, release),
  };
  return { ...usual, ...settings };
}

/** A source as it stands inside a connection: of no kind, and without the icon that its kind would lend. */
export function baseSourceBody(source: Source, release: Release): Row {
  return sourceBody(source, kinds.base, release);
}

/** A source as `sources/plex/` has it: with the settings of Plex, the stored token among them. */
function plexSourceBody(source: Source, release: Release): Row {
  return {
    ...sourceBody(source, kinds.plex, release),
    ...(release.since("2024.8") && { group_matching_mode: "identifier" }),
    client_id: `client-of-${source.slug}`,
    allowed_servers: ["aaaabbbbccccdddd"],
    allow_friends: true,
    plex_token: `canary-plex-token-of-source-${source.slug}`,
  };
}

/** @throws {HttpError} 400 for a key that is none */
function findSources(request: ApiRequest): Source[] {
  const slug = parameter(request, "slug");
  const pk = request.release.since("2025.2") ? parameter(request, "pbm_uuid")?.toLowerCase() : undefined;
  if (pk !== undefined && !/^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/.test(pk)) {
    throw new HttpError(400, { pbm_uuid: ["Enter a valid UUID."] });
  }
  return request.directory.sources.filter(
    (source) => (slug === undefined || source.slug === slug) && (pk === undefined || source.pk === pk),
  );
}

/** `GET /sources/all/` */
export function listSources(request: ApiRequest): Row {
  const write = (source: Source): Row => sourceBody(source, kinds[source.kind], request.release);
  return listPage(request, findSources(request), write);
}

/** `GET /sources/plex/`, usually by name. */
export function listPlexSources(request: ApiRequest): Row {
  const sources = findSources(request).filter(({ kind }) => kind === "plex");
  sources.sort((left, right) => compare(left.name, right.name));
  return listPage(request, sources, (source) => plexSourceBody(source, request.release));
}
