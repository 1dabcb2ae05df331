import { printSchema } from "../graphql/print.ts";
import { createSchema } from "../graphql/schema.ts";

/** The text of `authentik-graphql schema`: the subgraph's SDL. */
export function schemaText(federationLinkUrl: string): string {
  return printSchema(createSchema({ federationLinkUrl }));
}
