import type { Source } from "./directory.ts";
import type { ReleaseTraits } from "./releases.ts";

interface Kind {
  component: string;
  verboseName: string;
  verboseNamePlural: string;
  model: string;
  icon: string | null;
}

const kinds: Record<Source["kind"], Kind> = {
  // A connection refers to the base class of sources, whatever kind they are.
  base: {
    component: "",
    verboseName: "source",
    verboseNamePlural: "sources",
    model: "authentik_core.source",
    icon: null,
  },
  plex: {
    component: "ak-source-plex-form",
    verboseName: "Plex Source",
    verboseNamePlural: "Plex Sources",
    model: "authentik_sources_plex.plexsource",
    icon: "/static/authentik/sources/plex.svg",
  },
  ldap: {
    component: "ak-source-ldap-form",
    verboseName: "LDAP Source",
    verboseNamePlural: "LDAP Sources",
    model: "authentik_sources_ldap.ldapsource",
    icon: "/static/authentik/sources/ldap.png",
  },
};

/** Where a browser finds the icon; null where a source has none of its own and its kind lends none. */
export function iconUrl(
  source: Source,
  { kindIcon, traits }: { kindIcon: boolean; traits: ReleaseTraits },
): string | null {
  if (source.icon === null) return kindIcon ? kinds[source.kind].icon : null;
  if ("url" in source.icon) return source.icon.url;
  return traits.source.icon === "url"
    ? `/media/public/${source.icon.file}`
    : `/files/media/public/${source.icon.file}?token=signed-by-the-sandbox`;
}

function iconFields(source: Source, url: string | null, traits: ReleaseTraits): Record<string, unknown> {
  if (traits.source.icon === "url") return { icon: url };
  const stored = source.icon === null ? "" : "url" in source.icon ? source.icon.url : source.icon.file;
  return { icon: stored, icon_url: url, icon_themed_urls: null };
}

function sourceFields(
  source: Source,
  kind: Kind,
  url: string | null,
  traits: ReleaseTraits,
): Record<string, unknown> {
  return {
    pk: source.pk,
    name: source.name,
    slug: source.slug,
    enabled: source.enabled,
    ...(traits.source.promoted && { promoted: false }),
    authentication_flow: source.authenticationFlow,
    enrollment_flow: source.enrollmentFlow,
    ...(traits.source.propertyMappings && {
      user_property_mappings: source.userPropertyMappings,
      group_property_mappings: source.groupPropertyMappings,
    }),
    component: kind.component,
    verbose_name: kind.verboseName,
    verbose_name_plural: kind.verboseNamePlural,
    meta_model_name: kind.model,
    policy_engine_mode: source.policyEngineMode,
    user_matching_mode: source.userMatchingMode,
    managed: source.managed,
    user_path_template: source.userPathTemplate,
    ...iconFields(source, url, traits),
  };
}

/** A source as it stands inside a connection: of no kind, and without the icon that its kind would lend. */
export function baseSourceBody(source: Source, traits: ReleaseTraits): Record<string, unknown> {
  return sourceFields(source, kinds.base, iconUrl(source, { kindIcon: false, traits }), traits);
}

/** A source as `sources/all/` has it, with what is known of its kind. */
export function sourceBody(source: Source, traits: ReleaseTraits): Record<string, unknown> {
  const url = iconUrl(source, { kindIcon: traits.source.kindIcon, traits });
  return sourceFields(source, kinds[source.kind], url, traits);
}

/** A source as `sources/plex/` has it: with the settings of Plex, the stored token among them. */
export function plexSourceBody(source: Source, traits: ReleaseTraits): Record<string, unknown> {
  return {
    ...sourceBody(source, traits),
    ...(traits.source.groupMatchingMode && { group_matching_mode: "identifier" }),
    client_id: plexClientId(source),
    allowed_servers: ["aaaabbbbccccdddd"],
    allow_friends: true,
    plex_token: `canary-plex-token-of-source-${source.slug}`,
  };
}

/** The client id that a Plex source shows to plex.tv. */
export function plexClientId(source: Source): string {
  return `client-of-${source.slug}`;
}
