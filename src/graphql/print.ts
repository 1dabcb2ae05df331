import { printSubgraphSchema } from "@apollo/subgraph";
import { type GraphQLSchema, lexicographicSortSchema } from "graphql";

/** The subgraph's SDL as composers take it, the same text that `_service { sdl }` answers. */
export function printSchema(schema: GraphQLSchema): string {
  return `${printSubgraphSchema(lexicographicSortSchema(schema))}\n`;
}
