import SchemaBuilder from "@pothos/core";
import DirectivePlugin from "@pothos/plugin-directives";
import FederationPlugin from "@pothos/plugin-federation";
import type { GraphContext } from "./context.ts";

interface GraphOptions {
  Context: GraphContext;
  DefaultFieldNullability: false;
  Directives: { specifiedBy: { locations: "SCALAR"; args: { url: string } } };
  Scalars: {
    ID: { Input: string; Output: string };
    UUID: { Input: string; Output: string };
    DateTime: { Input: string; Output: string };
  };
}

/** For the signatures of what makes types of the graph. */
export type GraphTypes = PothosSchemaTypes.ExtendDefaultTypes<GraphOptions>;

/** What types of the graph are defined with: fields are non-null unless they say why not. */
export const builder = new SchemaBuilder<GraphOptions>({
  plugins: [DirectivePlugin, FederationPlugin],
  defaultFieldNullability: false,
});

builder.queryType({
  description: "Reads of authentik, each with the permissions of the caller.",
});

builder.mutationType({
  description:
    "Changes in authentik, each with the permissions of the caller. Only where the operator allows them.",
});
