import {
  decodeBoolean,
  decodeObject,
  decodeOptionalBoolean,
  decodeOptionalString,
  decodeOptionalUuid,
  decodeOptionalUuids,
  decodeString,
  decodeStrings,
  decodeUuid,
} from "../../authentik/decoders.ts";

/** A source of users, the same for every release of authentik. Null: not set, or the release does not have it. */
export type Source = ReturnType<typeof decodeSource>;

/** What only a Plex source has. */
export type PlexSourceSettings = ReturnType<typeof decodePlexSourceSettings>;

/** URLs of an icon for a light and a dark page; null where authentik has none. */
export type ThemedUrls = NonNullable<ReturnType<typeof decodeThemedUrls>>;

/**
 * The settings of a source as `/sources/plex/` has it. The `plex_token` beside them is the owner's of the server: it is
 * dropped here, before anything sees it.
 * @throws {AuthentikError} malformed-response, with the path of the first wrong field
 */
export function decodePlexSourceSettings(value: unknown, path: string) {
  const source = decodeObject(value, path);
  return {
    clientId: decodeString(source, "client_id", path),
    /** Machine identifiers of Plex servers. */
    allowedServers: decodeStrings(source, "allowed_servers", path),
    allowFriends: decodeBoolean(source, "allow_friends", path),
  };
}

/**
 * A source as any release writes it: nested in a connection, or from `/sources/all/`.
 *
 * Decides by shape: where `icon_url` is present, `icon` has become the stored name and the URL is in `icon_url`
 * (2025.12 and on), so that `icon` keeps its meaning. Everything that is not listed here, such as the `plex_token`
 * of `/sources/plex/`, is dropped.
 * @throws {AuthentikError} malformed-response, with the path of the first wrong field
 */
export function decodeSource(value: unknown, path: string) {
  const source = decodeObject(value, path);
  const hasIconUrl = source["icon_url"] !== undefined;
  return {
    pk: decodeUuid(source, "pk", path),
    name: decodeString(source, "name", path),
    slug: decodeString(source, "slug", path),
    enabled: decodeBoolean(source, "enabled", path),
    authenticationFlow: decodeOptionalUuid(source, "authentication_flow", path),
    enrollmentFlow: decodeOptionalUuid(source, "enrollment_flow", path),
    /** Since 2024.8. */
    userPropertyMappings: decodeOptionalUuids(source, "user_property_mappings", path),
    /** Since 2024.8. */
    groupPropertyMappings: decodeOptionalUuids(source, "group_property_mappings", path),
    component: decodeString(source, "component", path),
    verboseName: decodeString(source, "verbose_name", path),
    verboseNamePlural: decodeString(source, "verbose_name_plural", path),
    metaModelName: decodeString(source, "meta_model_name", path),
    /** As on the wire; `schema.ts` refuses values that no known release has. */
    policyEngineMode: decodeString(source, "policy_engine_mode", path),
    userMatchingMode: decodeString(source, "user_matching_mode", path),
    managed: decodeOptionalString(source, "managed", path),
    userPathTemplate: decodeString(source, "user_path_template", path),
    /** Where the icon is, in every release; null: none. */
    icon: decodeOptionalString(source, hasIconUrl ? "icon_url" : "icon", path),
    /** Since 2025.12. */
    promoted: decodeOptionalBoolean(source, "promoted", path),
    /** Since 2025.12: the same as `icon`. */
    iconUrl: decodeOptionalString(source, "icon_url", path),
    /** Since 2025.12. */
    iconThemedUrls: decodeThemedUrls(source["icon_themed_urls"], `${path}.icon_themed_urls`),
  };
}

function decodeThemedUrls(value: unknown, path: string) {
  if (value === undefined || value === null) return null;
  const urls = decodeObject(value, path);
  return { light: decodeOptionalString(urls, "light", path), dark: decodeOptionalString(urls, "dark", path) };
}
