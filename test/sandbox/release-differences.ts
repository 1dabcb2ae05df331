import { SANDBOX_RELEASES, type SandboxRelease } from "../../src/sandbox/releases.ts";
import type { ComponentSchema, OpenApiDocument, PropertySchema } from "./openapi.ts";

/** One property in which older releases differ from the newest one. */
interface ReleaseDifference {
  component: string;
  property: string;
  /** The first release that is as the newest one; all before differ. */
  before: SandboxRelease;
  /** Not there · there with that schema if it was another, and ahead of that property if it is elsewhere now. */
  was: "absent" | { schema?: PropertySchema; ahead?: string };
}

const connection = "UserPlexSourceConnection";
const lists = [connection, "PlexSource", "Source", "User"].map((component) => `Paginated${component}List`);
const nullableText: PropertySchema = { type: "string", nullable: true };

function absent(
  before: SandboxRelease,
  components: readonly string[],
  properties: readonly string[],
): ReleaseDifference[] {
  return components.flatMap((component) =>
    properties.map((property): ReleaseDifference => ({ component, property, before, was: "absent" })),
  );
}

/** Every difference between the newest release and those since 2024.12, as far as the sandbox shows it. */
const releaseDifferences: readonly ReleaseDifference[] = [
  ...absent("2026.8", ["SessionUser"], ["users"]),
  ...absent("2026.8", ["UserSelf"], ["is_current"]),
  ...absent("2025.12", ["Source", "PlexSource"], ["promoted", "icon_url", "icon_themed_urls"]),
  ...absent("2025.12", ["User"], ["roles", "roles_obj"]),
  ...absent("2025.12", ["UserSelf"], ["roles"]),
  ...absent("2025.8", ["User"], ["last_updated"]),
  ...absent("2025.8", lists, ["autocomplete"]),
  ...absent("2025.4", ["User"], ["date_joined"]),
  ...absent("2025.4", [connection], ["last_updated"]),
  ...absent("2025.2", ["User"], ["password_change_date"]),
  // It was the URL itself: null without an icon, which a Plex source cannot be.
  {
    component: "Source",
    property: "icon",
    before: "2025.12",
    was: { schema: { ...nullableText, pattern: "^(?:https?:/)?/" } },
  },
  // A group had one parent.
  {
    component: "PartialGroup",
    property: "parent",
    before: "2025.12",
    was: { schema: nullableText, ahead: "attributes" },
  },
  {
    component: "PartialGroup",
    property: "parent_name",
    before: "2025.12",
    was: { schema: nullableText, ahead: "attributes" },
  },
  // What all connections have in common came first, then what those of Plex have.
  { component: connection, property: "created", before: "2025.4", was: { ahead: "identifier" } },
];

/** The differences of one release. */
export function differencesOf(release: SandboxRelease): ReleaseDifference[] {
  const position = SANDBOX_RELEASES.indexOf(release);
  return releaseDifferences.filter(({ before }) => position < SANDBOX_RELEASES.indexOf(before));
}

function differing(schema: ComponentSchema, { property, was }: ReleaseDifference): ComponentSchema {
  const { [property]: now, ...others } = schema.properties ?? {};
  if (was === "absent") {
    if (now === undefined) throw new Error(`The newest release has no ${property}.`);
    return {
      ...schema,
      properties: others,
      required: schema.required?.filter((key) => key !== property) ?? [],
    };
  }
  const then = was.schema ?? now ?? {};
  if (was.ahead === undefined) return { ...schema, properties: { ...schema.properties, [property]: then } };
  const entries = Object.entries(others).flatMap((entry) =>
    entry[0] === was.ahead ? [[property, then] as const, entry] : [entry],
  );
  return { ...schema, properties: Object.fromEntries(entries) };
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
