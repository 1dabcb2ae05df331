import { printSubgraphSchema } from "@apollo/subgraph";
import {
  GraphQLObjectType,
  GraphQLSchema,
  isSpecifiedDirective,
  lexicographicSortSchema,
  printSchema as printPlainSchema,
} from "graphql";

/** The subgraph's SDL as composers take it, the same text that `_service { sdl }` answers. */
export function printSchema(schema: GraphQLSchema): string {
  return `${printSubgraphSchema(lexicographicSortSchema(schema))}\n`;
}

/** The graph as its clients see it, without what only routers use: for tools that generate code from a schema. */
export function printApiSchema(schema: GraphQLSchema): string {
  const { query, types, directives, ...config } = schema.toConfig();
  if (!query) throw new TypeError("a schema without queries");
  const { fields, ...about } = query.toConfig();
  const { _entities, _service, ...ownFields } = fields;
  const ownQuery = new GraphQLObjectType({ ...about, fields: ownFields });
  const own = new GraphQLSchema({
    ...config,
    query: ownQuery,
    types: types.filter((type) => type !== query && !/^(_|link__|federation__|FieldSet$)/.test(type.name)),
    directives: directives.filter(isSpecifiedDirective),
  });
  return `${printPlainSchema(lexicographicSortSchema(own))}\n`;
}
