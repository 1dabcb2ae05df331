import { SANDBOX_RELEASES, type SandboxRelease } from "../../src/sandbox/releases.ts";
import type { ComponentSchema, OpenApiDocument, PropertySchema } from "./openapi.ts";

/** One property in which older releases differ from the newest one. */
interface ReleaseDifference {
  component: string;
  property: string;
  /** The first release that is as the newest one; all before differ. */
  before: SandboxRelease;
  /** Its schema then; without one it was not there. */
  was?: PropertySchema;
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
    properties.map((property): ReleaseDifference => ({ component, property, before })),
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
    was: { ...nullableText, pattern: "^(?:https?:/)?/" },
  },
  // A group had one parent.
  { component: "PartialGroup", property: "parent", before: "2025.12", was: nullableText },
  { component: "PartialGroup", property: "parent_name", before: "2025.12", was: nullableText },
];

/** The differences of one release. */
export function differencesOf(release: SandboxRelease): ReleaseDifference[] {
  const position = SANDBOX_RELEASES.indexOf(release);
  return releaseDifferences.filter(({ before }) => position < SANDBOX_RELEASES.indexOf(before));
}

function differing(schema: ComponentSchema, { property, was }: ReleaseDifference): ComponentSchema {
  const { [property]: _now, ...others } = schema.properties ?? {};
  if (was !== undefined) return { ...schema, properties: { ...others, [property]: was } };
  return {
    ...schema,
    properties: others,
    required: schema.required?.filter((key) => key !== property) ?? [],
  };
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
