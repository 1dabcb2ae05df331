import { builder } from "../../graphql/builder.ts";
import { clientError } from "../../graphql/errors.ts";

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

export const PolicyEngineMode = builder.enumType("PolicyEngineMode", {
  description: "How the results of several policies are combined.",
  values: POLICY_ENGINE_MODES,
});

export const UserMatchingMode = builder.enumType("UserMatchingMode", {
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

export const readPolicyEngineMode = enumReader("policyEngineMode", POLICY_ENGINE_MODES);
export const readUserMatchingMode = enumReader("userMatchingMode", USER_MATCHING_MODES);
