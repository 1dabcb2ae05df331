import type { Answer } from "./answer.ts";
import { Refusal, jsonAnswer } from "./answer.ts";
import type { Call } from "./call.ts";
import { findConnection } from "./connection-views.ts";
import type { ReleaseTraits } from "./releases.ts";
import { refuseAnonymous } from "./tokens.ts";

/** What OPTIONS says of one field. */
interface FieldMetadata {
  type: string;
  required: boolean;
  read_only: boolean;
  label: string;
  [more: string]: unknown;
}

const given = (type: string, label: string, more: object = {}): FieldMetadata => ({
  type,
  required: false,
  read_only: true,
  label,
  ...more,
});
const optional = (type: string, label: string, more: object = {}): FieldMetadata => ({
  ...given(type, label),
  read_only: false,
  ...more,
});
const required = (type: string, label: string, more: object = {}): FieldMetadata => ({
  ...optional(type, label),
  required: true,
  ...more,
});

const policyEngineModes = [
  { value: "all", display_name: "all, all policies must pass" },
  { value: "any", display_name: "any, any policy must pass" },
];

const userMatchingModes = [
  { value: "identifier", display_name: "Use the source-specific identifier" },
  {
    value: "email_link",
    display_name:
      "Link to a user with identical email address. Can have security implications when a source doesn't " +
      "validate email addresses.",
  },
  {
    value: "email_deny",
    display_name: "Use the user's email address, but deny enrollment when the email address already exists.",
  },
  {
    value: "username_link",
    display_name:
      "Link to a user with identical username. Can have security implications when a username is used with " +
      "another source.",
  },
  {
    value: "username_deny",
    display_name: "Use the user's username, but deny enrollment when the username already exists.",
  },
];

function sourceMetadata({ source }: ReleaseTraits): Record<string, FieldMetadata> {
  const slugLength = source.slugMaxLength === null ? {} : { max_length: source.slugMaxLength };
  return {
    pk: given("string", "Pbm uuid"),
    name: required("string", "Name", { help_text: "Source's display Name." }),
    slug: required("slug", "Slug", { help_text: "Internal source name, used in URLs.", ...slugLength }),
    enabled: optional("boolean", "Enabled"),
    ...(source.promoted && { promoted: optional("boolean", "Promoted") }),
    authentication_flow: optional("field", "Authentication flow", {
      help_text: "Flow to use when authenticating existing users.",
    }),
    enrollment_flow: optional("field", "Enrollment flow", {
      help_text: "Flow to use when enrolling new users.",
    }),
    ...(source.propertyMappings && {
      user_property_mappings: optional("field", "User property mappings"),
      group_property_mappings: optional("field", "Group property mappings"),
    }),
    component: given("field", "Component"),
    verbose_name: given("field", "Verbose name"),
    verbose_name_plural: given("field", "Verbose name plural"),
    meta_model_name: given("field", "Meta model name"),
    policy_engine_mode: optional("choice", "Policy engine mode", { choices: policyEngineModes }),
    user_matching_mode: optional("choice", "User matching mode", {
      help_text:
        "How the source determines if an existing user should be authenticated or a new user enrolled.",
      choices: userMatchingModes,
    }),
    managed: given("field", "Managed"),
    user_path_template: optional("string", "User path template"),
    ...(source.icon === "url"
      ? { icon: given("field", "Icon") }
      : {
          icon: optional("string", "Icon"),
          icon_url: given("field", "Icon url"),
          icon_themed_urls: given("field", "Icon themed urls"),
        }),
  };
}

function connectionMetadata(traits: ReleaseTraits): Record<string, FieldMetadata> {
  const { source, created, userWritable } = traits.connection;
  const children = sourceMetadata(traits);
  return {
    pk: given("integer", "ID"),
    user: userWritable ? required("field", "User") : given("field", "User"),
    ...(source === "object"
      ? { source: given("nested object", "Source", { children }) }
      : {
          source: required("field", "Source"),
          source_obj: given("nested object", "Source obj", { children }),
        }),
    ...(created === "before-identifier" && { created: given("datetime", "Created") }),
    identifier: required("string", "Identifier"),
    ...(created === "with-last-updated" && {
      created: given("datetime", "Created"),
      last_updated: given("datetime", "Last updated"),
    }),
    plex_token: required("string", "Plex token"),
  };
}

/** The name of a view for people: `PlexSource` becomes `Plex Source`. */
function inWords(modelName: string): string {
  return modelName.replaceAll(/(?<=[a-z])(?=[A-Z])/g, " ");
}

/** `OPTIONS` of a route, without fields to write. */
export function describeView(name: string, description: string, actions?: object): Answer {
  return jsonAnswer({
    name,
    description,
    renders: ["application/json"],
    parses: ["application/json"],
    ...(actions && { actions }),
  });
}

/** `OPTIONS /sources/user_connections/plex/`: with the fields to write for whoever may add a connection. */
export function describeConnectionList(call: Call): Answer {
  const { caller, traits } = call;
  if (caller === null) throw refuseAnonymous();
  const mayAdd = traits.grants === "superuser" || caller.superuser;
  return describeView(
    `${inWords(traits.connection.modelName)} List`,
    traits.connection.viewDescription,
    mayAdd ? { POST: connectionMetadata(traits) } : undefined,
  );
}

/** `OPTIONS /sources/user_connections/plex/{id}/`: with the fields to write where the caller sees the connection. */
export function describeConnection(call: Call): Answer {
  const { connection } = call.traits;
  return describeView(
    `${inWords(connection.modelName)} Instance`,
    connection.viewDescription,
    isThere(call) ? { PUT: connectionMetadata(call.traits) } : undefined,
  );
}

function isThere(call: Call): boolean {
  try {
    findConnection(call);
    return true;
  } catch (error) {
    if (error instanceof Refusal && error.answer.status === 404) return false;
    throw error;
  }
}
