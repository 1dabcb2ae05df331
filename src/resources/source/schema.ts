import { requireText, requireUuid } from "../../graphql/arguments.ts";
import { builder } from "../../graphql/builder.ts";
import { keyOnly } from "../../graphql/entities.ts";
import { clientError } from "../../graphql/errors.ts";
import type { PlexSourceSettings, Source, ThemedUrls } from "./decode.ts";
import { plexSourceBySlug, plexSources, plexSourceSettings, sourceByPk, sourceBySlug } from "./loaders.ts";

/** Tags what only authentik's own administration needs, so that a contract variant of a supergraph can leave it out. */
const ADMINISTRATION = "authentik-administration";

// How a source treats policies and users: enums that may grow with a release.

const POLICY_ENGINE_MODES = {
  ALL: { value: "all", description: "Every policy must pass. In REST: `all`." },
  ANY: { value: "any", description: "One passing policy is enough. In REST: `any`." },
} as const;

const USER_MATCHING_MODES = {
  IDENTIFIER: {
    value: "identifier",
    description: "By the number of the account at the source only. In REST: `identifier`.",
  },
  EMAIL_LINK: {
    value: "email_link",
    description: "Links to the user with the same e-mail address. In REST: `email_link`.",
  },
  EMAIL_DENY: {
    value: "email_deny",
    description: "By e-mail address; refuses to enrol where a user has it already. In REST: `email_deny`.",
  },
  USERNAME_LINK: {
    value: "username_link",
    description: "Links to the user with the same user name. In REST: `username_link`.",
  },
  USERNAME_DENY: {
    value: "username_deny",
    description: "By user name; refuses to enrol where a user has it already. In REST: `username_deny`.",
  },
} as const;

const PolicyEngineMode = builder.enumType("PolicyEngineMode", {
  description: "How the results of several policies are combined.",
  values: POLICY_ENGINE_MODES,
});

const UserMatchingMode = builder.enumType("UserMatchingMode", {
  description: "How a source finds the authentik user that belongs to an account.",
  values: USER_MATCHING_MODES,
});

/**
 * Reads an enum's value.
 * @throws {GraphQLError} where no known release has it, which costs its own field only; names what looks like such a value
 */
function enumReader<V extends string>(
  field: string,
  values: Readonly<Record<string, { value: V }>>,
): (value: string) => V {
  return (value) => {
    const known = Object.values(values).find((mode) => mode.value === value);
    if (known) return known.value;
    const shown = /^[A-Za-z0-9_-]{1,64}$/.test(value) ? `"${value}"` : "a value";
    throw clientError(
      "UPSTREAM_INVALID_RESPONSE",
      `authentik answered ${shown} for ${field}, which this gateway does not know. A newer gateway may.`,
      { field },
    );
  };
}

const readPolicyEngineMode = enumReader("policyEngineMode", POLICY_ENGINE_MODES);
const readUserMatchingMode = enumReader("userMatchingMode", USER_MATCHING_MODES);

const ThemedUrlsRef = builder.objectRef<ThemedUrls>("ThemedUrls").implement({
  shareable: true,
  description: "Addresses of an icon for light and for dark pages.",
  fields: (t) => ({
    light: t.exposeString("light", { nullable: true, description: "For light pages; null: none." }),
    dark: t.exposeString("dark", { nullable: true, description: "For dark pages; null: none." }),
  }),
});

const PlexSourceSettingsRef = builder.objectRef<PlexSourceSettings>("PlexSourceSettings").implement({
  description: "What a Plex source allows. The token of the Plex server's owner is never shown.",
  fields: (t) => ({
    clientId: t.exposeString("clientId", {
      description: "What authentik calls itself towards plex.tv, such as `client-of-plex`.",
    }),
    allowedServers: t.exposeStringList("allowedServers", {
      listSize: { assumedSize: 5 },
      description: "Machine identifiers of the Plex servers whose members may sign in. Empty: none.",
    }),
    allowFriends: t.exposeBoolean("allowFriends", {
      description: "Whether friends of the server's owner may sign in, members of a server or not.",
    }),
  }),
});

/** Where users come from: a Plex server, for the connections of this graph. */
export const SourceRef = builder.objectRef<Source>("Source");

SourceRef.implement({
  description:
    "A source that users can come from, such as a Plex server. Fields that a release of authentik lacks are null. " +
    "`component`, `verboseName`, `verboseNamePlural`, `metaModelName` and `icon` are more specific where the source " +
    "was read by its key than where it was read through a connection: authentik itself answers so.",
  fields: (t) => ({
    id: t.id({
      description: "The primary key as text: what caches key on.",
      extensions: { needs: ["pk"] },
      resolve: (source) => source.pk,
    }),
    pk: t.expose("pk", { type: "UUID", description: "Primary key." }),
    name: t.exposeString("name", { description: "Name as people see it, such as `Plex`." }),
    slug: t.exposeString("slug", { description: "Name as it stands in addresses, such as `plex`." }),
    enabled: t.exposeBoolean("enabled", { description: "Whether people can sign in through it." }),
    promoted: t.exposeBoolean("promoted", {
      nullable: true,
      description:
        "Whether the login page shows it prominently. Null before authentik 2025.12, which introduced it.",
    }),
    authenticationFlow: t.expose("authenticationFlow", {
      type: "UUID",
      nullable: true,
      description: "Flow for users who exist already. Null where none is set.",
    }),
    enrollmentFlow: t.expose("enrollmentFlow", {
      type: "UUID",
      nullable: true,
      description: "Flow for new users. Null where none is set.",
    }),
    userPropertyMappings: t.expose("userPropertyMappings", {
      type: ["UUID"],
      nullable: true,
      listSize: { assumedSize: 10 },
      description:
        "Mappings that fill in the user's properties. Null before authentik 2024.8, which introduced them.",
    }),
    groupPropertyMappings: t.expose("groupPropertyMappings", {
      type: ["UUID"],
      nullable: true,
      listSize: { assumedSize: 10 },
      description:
        "Mappings that fill in groups' properties. Null before authentik 2024.8, which introduced them.",
    }),
    component: t.exposeString("component", {
      tag: ADMINISTRATION,
      description:
        "Web component of authentik's that edits it, such as `ak-source-plex-form`; empty when read through a connection.",
    }),
    verboseName: t.exposeString("verboseName", {
      tag: ADMINISTRATION,
      description: "Kind in words, such as `Plex Source`; `source` when read through a connection.",
    }),
    verboseNamePlural: t.exposeString("verboseNamePlural", {
      tag: ADMINISTRATION,
      description:
        "Kind in words for several, such as `Plex Sources`; `sources` when read through a connection.",
    }),
    metaModelName: t.exposeString("metaModelName", {
      tag: ADMINISTRATION,
      description:
        "Kind as authentik's model, such as `authentik_sources_plex.plexsource`; `authentik_core.source` when read " +
        "through a connection.",
    }),
    policyEngineMode: t.field({
      type: PolicyEngineMode,
      nullable: true,
      description:
        "How policies are combined. Null, with an error, for a mode that this gateway does not know yet.",
      resolve: (source) => readPolicyEngineMode(source.policyEngineMode),
    }),
    userMatchingMode: t.field({
      type: UserMatchingMode,
      nullable: true,
      description:
        "How users are found. Null, with an error, for a mode that this gateway does not know yet.",
      resolve: (source) => readUserMatchingMode(source.userMatchingMode),
    }),
    managed: t.exposeString("managed", {
      tag: ADMINISTRATION,
      nullable: true,
      description: "What created it, where authentik manages it itself. Null for sources that people made.",
    }),
    userPathTemplate: t.exposeString("userPathTemplate", {
      tag: ADMINISTRATION,
      description: "Path given to new users, such as `goauthentik.io/sources/%(slug)s`.",
    }),
    icon: t.exposeString("icon", {
      nullable: true,
      description:
        "Address of the icon in every release; may be relative to authentik's own address and may change with each " +
        "answer. Null where there is none.",
    }),
    iconUrl: t.exposeString("iconUrl", {
      nullable: true,
      description:
        "The same address, as releases since 2025.12 call it. Null where there is none, and before 2025.12.",
    }),
    iconThemedUrls: t.expose("iconThemedUrls", {
      type: ThemedUrlsRef,
      nullable: true,
      description:
        "Addresses for light and dark pages. Null where there are none, and before authentik 2025.12.",
    }),
    plex: t.field({
      type: PlexSourceSettingsRef,
      nullable: true,
      cost: 5,
      description:
        "What only a Plex source has. Null for a source of another kind, and with `FORBIDDEN` for who may not read " +
        "sources, as ordinary users may not.",
      extensions: { needs: ["pk"] },
      resolve: ({ pk }, _args, { authentik }) => plexSourceSettings(authentik, pk),
    }),
  }),
});

builder.queryFields((t) => ({
  plexSource: t.field({
    type: SourceRef,
    nullable: true,
    cost: 5,
    description:
      "The Plex source with this slug. Null where there is none that you may read; who may not read sources finds those " +
      "of their own connections.",
    args: {
      slug: t.arg.string({
        required: true,
        description: "Name as it stands in addresses, such as `plex`: exactly, case included.",
      }),
    },
    resolve: (_root, { slug }, { authentik, maxScannedRows }) =>
      plexSourceBySlug(authentik, requireText(slug, "slug"), maxScannedRows),
  }),
  plexSources: t.field({
    type: [SourceRef],
    nullable: true,
    cost: 5,
    listSize: { assumedSize: 5 },
    description:
      "All Plex sources that you may read, by slug; for who may not read sources, those of their own connections. Null " +
      "where authentik could not be asked.",
    resolve: (_root, _args, { authentik, maxScannedRows }) => plexSources(authentik, maxScannedRows),
  }),
}));

builder.asEntity(SourceRef, {
  key: [builder.selection<{ pk: string }>("pk"), builder.selection<{ slug: string }>("slug")],
  resolveReference: (representation, { authentik, maxScannedRows }, info) => {
    const { pk, slug }: { pk?: unknown; slug?: unknown } = representation;
    if (pk === undefined && typeof slug === "string") {
      const key = { slug: requireText(slug, "slug") };
      return keyOnly<Source>(info, "Source", key) ?? sourceBySlug(authentik, maxScannedRows).load(key.slug);
    }
    const key = {
      pk: requireUuid(pk, "The key of a Source is a UUID in `pk`, or text in `slug`."),
      ...(typeof slug === "string" && { slug }),
    };
    return keyOnly<Source>(info, "Source", key) ?? sourceByPk(authentik, maxScannedRows).load(key.pk);
  },
});
