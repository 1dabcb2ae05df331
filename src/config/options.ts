import { authentikOptions } from "./authentik-options.ts";
import { graphqlOptions } from "./graphql-options.ts";
import { listeningOptions } from "./listening-options.ts";
import type { Option } from "./option.ts";
import { sandboxOptions } from "./sandbox-options.ts";

/** Every setting by the name of its environment variable: the one place that defines what can be configured. */
export const options = {
  ...listeningOptions,
  ...authentikOptions,
  ...graphqlOptions,
  ...sandboxOptions,
};

/** The value of every setting. */
export type Values = {
  [Name in keyof typeof options]: (typeof options)[Name] extends Option<infer Value> ? Value : never;
};

/** Every setting as a list, in the order of the documentation. */
export function optionEntries(): readonly (readonly [name: string, option: Option<unknown>])[] {
  return Object.entries(options);
}
