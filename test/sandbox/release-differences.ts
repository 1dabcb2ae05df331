import { SANDBOX_RELEASES } from "../../src/sandbox/releases.ts";
import type { SandboxRelease } from "../../src/sandbox/releases.ts";
import type { ComponentSchema, OpenApiDocument, PropertySchema } from "./openapi.ts";

/** One property in which older releases differ from the newest one. */
export interface ReleaseDifference {
  component: string;
  property: string;
  /** The first release that is as the newest one; all before differ. */
  before: SandboxRelease;
  /** Not there · there with that schema instead · there as now, but ahead of that other property. */
  was: "absent" | PropertySchema | { ahead: string };
  reason: string;
}

const connection = "UserPlexSourceConnection";
const sources = ["Source", "PlexSource"];
const lists = ["PaginatedUserPlexSourceConnectionList", "PaginatedPlexSourceList", "PaginatedSourceList"];

/** Every difference between the newest release and those since 2024.12, as far as the sandbox shows it. */
export const releaseDifferences: readonly ReleaseDifference[] = [
  {
    component: connection,
    property: "user",
    before: "2026.8",
    was: { type: "integer" },
    reason: "Whoever could change a connection could give it to another user.",
  },
  ...sources.flatMap((component): ReleaseDifference[] => [
    {
      component,
      property: "promoted",
      before: "2025.12",
      was: "absent",
      reason: "The login page showed all sources alike.",
    },
    {
      component,
      property: "icon_url",
      before: "2025.12",
      was: "absent",
      reason: "The URL of the icon was `icon` itself.",
    },
    {
      component,
      property: "icon_themed_urls",
      before: "2025.12",
      was: "absent",
      reason: "Icons had no variants for light and dark themes.",
    },
  ]),
  {
    component: "Source",
    property: "icon",
    before: "2025.12",
    was: { type: "string", pattern: "^(?:https?:/)?/", nullable: true, readOnly: true },
    reason:
      "It was the URL, computed and null without an icon. That of a Plex source is at least the logo of Plex, " +
      "so a string as now.",
  },
  {
    component: "Source",
    property: "slug",
    before: "2025.12",
    was: { type: "string", maxLength: 50, pattern: "^[-a-zA-Z0-9_]+$" },
    reason: "Slugs were limited to the 50 characters that Django gives them.",
  },
  ...lists.map((component): ReleaseDifference => {
    const reason = "Lists did not help to complete queries.";
    return { component, property: "autocomplete", before: "2025.8", was: "absent", reason };
  }),
  {
    component: connection,
    property: "last_updated",
    before: "2025.4",
    was: "absent",
    reason: "Only the creation of a connection was told.",
  },
  {
    component: connection,
    property: "created",
    before: "2025.4",
    was: { ahead: "identifier" },
    reason: "The common fields, `created` the last of them, preceded those of Plex, `identifier` among them.",
  },
];

/** The differences of one release. */
export function differencesOf(release: SandboxRelease): ReleaseDifference[] {
  const position = SANDBOX_RELEASES.indexOf(release);
  return releaseDifferences.filter(({ before }) => position < SANDBOX_RELEASES.indexOf(before));
}

function differing(schema: ComponentSchema, { property, was }: ReleaseDifference): ComponentSchema {
  const { [property]: now, ...others } = schema.properties ?? {};
  if (now === undefined) throw new Error(`The newest release has no ${property}.`);
  if (was === "absent") {
    return {
      ...schema,
      properties: others,
      required: schema.required?.filter((key) => key !== property) ?? [],
    };
  }
  const { ahead } = was;
  const properties =
    ahead === undefined
      ? { ...schema.properties, [property]: was }
      : Object.fromEntries(
          Object.entries(others).flatMap((entry) =>
            entry[0] === ahead ? [[property, now], entry] : [entry],
          ),
        );
  return { ...schema, properties };
}

/** The newest document as it would read with those differences. */
export function withDifferences(
  document: OpenApiDocument,
  differences: readonly ReleaseDifference[],
): OpenApiDocument {
  const schemas = { ...document.components.schemas };
  for (const difference of differences) {
    schemas[difference.component] = differing(schemas[difference.component] ?? {}, difference);
  }
  return { ...document, components: { ...document.components, schemas } };
}
