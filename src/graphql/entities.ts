import { collectSubFields } from "@graphql-tools/utils";
import { type FieldNode, type GraphQLResolveInfo, type GraphQLSchema, isObjectType } from "graphql";
import { isJsonObject, type JsonObject } from "../authentik/decoders.ts";
import { perRequest } from "../authentik/per-request.ts";
import type { GraphContext } from "./context.ts";
import { clientError } from "./errors.ts";

type ResolveReference = (
  representation: JsonObject,
  context: GraphContext,
  info: GraphQLResolveInfo,
) => unknown;

/**
 * Gives `_entities` a resolver in which each representation stands for itself.
 *
 * The stock resolver of @apollo/subgraph throws for the first bad representation while lookups of others are under
 * way; their later rejections then have no handler and end the process. Here every item is a promise of its own that
 * never rejects, in order, and a bad one costs itself alone.
 * Specification: https://www.apollographql.com/docs/graphos/schema-design/federated-schemas/reference/subgraph-spec
 */
export function isolateEntities(schema: GraphQLSchema): void {
  const field = schema.getQueryType()?.getFields()["_entities"];
  if (!field) return;
  field.description =
    "Objects by their keys, for routers: one answer for each representation, in the same order.";
  const argument = field.args.find((arg) => arg.name === "representations");
  if (argument) argument.description = "Objects with `__typename` and the fields of one of the type's keys.";
  // Aliases share one variable: a limit for each field would let a small request ask for its product with them.
  const askedOf = perRequest(() => ({ representations: 0 }));
  field.resolve = (_root, args: { representations?: unknown }, context: GraphContext, info) => {
    const representations: readonly unknown[] = Array.isArray(args.representations)
      ? args.representations
      : [];
    const asked = askedOf(context.authentik);
    asked.representations += representations.length;
    if (asked.representations > context.maxRepresentations) {
      throw clientError(
        "LIMIT_EXCEEDED",
        "Too many representations in one operation. Ask in smaller batches.",
        { limit: "representations", max: context.maxRepresentations, actual: asked.representations },
      );
    }
    // Errors are handed on as values: a rejection would have no handler until graphql-js comes to its item.
    return representations.map((representation) =>
      resolveEntity(representation, context, info).catch((error: unknown) => error),
    );
  };
}

async function resolveEntity(
  representation: unknown,
  context: GraphContext,
  info: GraphQLResolveInfo,
): Promise<unknown> {
  if (!isJsonObject(representation)) {
    throw clientError(
      "BAD_USER_INPUT",
      "A representation must be an object with `__typename` and key fields.",
    );
  }
  const typename = Object.hasOwn(representation, "__typename") ? representation["__typename"] : undefined;
  const type = typeof typename === "string" ? info.schema.getType(typename) : undefined;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- where @apollo/subgraph looks for what Pothos put there
  const { apollo } = { ...type?.extensions } as {
    apollo?: { subgraph?: { resolveReference?: ResolveReference } };
  };
  const resolve = apollo?.subgraph?.resolveReference;
  if (!resolve) {
    throw clientError(
      "BAD_USER_INPUT",
      "A representation must name an entity of this subgraph in `__typename`.",
    );
  }
  // A key that is null is none, whatever stands beside it.
  const given = Object.fromEntries(Object.entries(representation).filter(([, value]) => value !== null));
  const entity = await resolve(given, context, info);
  return isJsonObject(entity) ? { ...entity, __typename: typename } : entity;
}

/**
 * Whether an object can answer what is asked of it with nothing but these fields, so that nothing has to be fetched.
 *
 * A field that is worked out of others says so in its extensions: `{ needs: ["pk"] }`. `@skip` and `@include` are taken at
 * their word: routers leave out what is skipped, and the result must not depend on who did.
 */
export function selectsOnly(
  { schema, fragments, variableValues, fieldNodes }: GraphQLResolveInfo,
  typename: string,
  names: readonly string[],
): boolean {
  const object = schema.getType(typename);
  if (!isObjectType(object)) return false;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- nodes are only read, and remembered by this array
  const nodes = fieldNodes as FieldNode[];
  const { fields } = collectSubFields(schema, fragments, variableValues, object, nodes);
  const known = new Set<unknown>(["__typename", ...names]);
  return [...fields.values()].every(([node]) => {
    const name = node?.name.value ?? "";
    const needs: unknown = object.getFields()[name]?.extensions["needs"] ?? [name];
    return Array.isArray(needs) && needs.every((field) => known.has(field));
  });
}

/** An object by its key alone, where nothing more is asked of it; null where it must be fetched. */
export function keyOnly<T>(info: GraphQLResolveInfo, typename: string, key: Partial<T>): T | null {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the selection was checked: nobody reads another field
  return selectsOnly(info, typename, Object.keys(key)) ? (key as T) : null;
}
