import {
  defaultFieldResolver,
  getNamedType,
  getNullableType,
  type GraphQLFieldResolver,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  isIntrospectionType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
} from "graphql";
import { perRequest } from "../authentik/per-request.ts";
import type { GraphContext } from "./context.ts";
import { createSizer } from "./document-size.ts";
import { clientError } from "./errors.ts";

/** A lookup takes the time of so many plain values, even where it is shared with others. */
const FIELDS_PER_OBJECT = 10;

type Resolver = GraphQLFieldResolver<unknown, GraphContext, Record<string, unknown>>;

/**
 * Bounds how many fields the lists of an answer may have together, and how many errors of fields below the root.
 *
 * The limits of a document count a list's fields once, since nothing in the document says how many items it will have:
 * a few hundred bytes could ask for a hundred rows under a hundred names. An error takes ten times the time of a value,
 * and where a credential is refused or authentik is down each of these fields has one.
 */
export function limitAnswers(schema: GraphQLSchema): void {
  const answerOf = perRequest(() => ({ fields: 0 }));
  /** By operation: those of a batch have an answer each, and each says by itself what it leaves out. */
  const errorsOf = new WeakMap<GraphContext, number>();

  function count(items: unknown, context: GraphContext, info: GraphQLResolveInfo): unknown {
    if (!Array.isArray(items)) return items;
    const { ofSelections } = createSizer((name) => info.fragments[name]);
    const answer = answerOf(context.authentik);
    for (const { selectionSet } of info.fieldNodes) {
      if (!selectionSet) continue;
      const { fields, objects } = ofSelections(selectionSet);
      answer.fields += items.length * (fields + objects * (FIELDS_PER_OBJECT - 1));
    }
    const actual = answer.fields;
    const max = context.maxAnswerFields;
    if (actual > max) {
      throw clientError("LIMIT_EXCEEDED", "The answer's lists are too large. Ask for less at once.", {
        limit: "answerFields",
        max,
        actual,
      });
    }
    return items;
  }

  /** Errors beyond the limit are told as one, in place of the first of them; the fields of the others are just null. */
  function fail(error: unknown, context: GraphContext): null {
    const actual = (errorsOf.get(context) ?? 0) + 1;
    errorsOf.set(context, actual);
    const max = context.maxErrors;
    if (actual <= max) throw error;
    if (actual > max + 1) return null;
    throw clientError("LIMIT_EXCEEDED", "Further fields failed as well, and are null without an error.", {
      limit: "errors",
      max,
      actual,
    });
  }

  const counted =
    (resolve: Resolver): Resolver =>
    (source, args, context, info) => {
      const items: unknown = resolve(source, args, context, info);
      return items instanceof Promise
        ? items.then((resolved: unknown) => count(resolved, context, info))
        : count(items, context, info);
    };
  const failing =
    (resolve: Resolver): Resolver =>
    (source, args, context, info) => {
      try {
        const value: unknown = resolve(source, args, context, info);
        return value instanceof Promise ? value.catch((error: unknown) => fail(error, context)) : value;
      } catch (error) {
        return fail(error, context);
      }
    };

  const roots = new Set([schema.getQueryType(), schema.getMutationType()]);
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || isIntrospectionType(type)) continue;
    for (const field of Object.values(type.getFields())) {
      if (isListType(getNullableType(field.type)) && !isLeafType(getNamedType(field.type)))
        field.resolve = counted(field.resolve ?? defaultFieldResolver);
      if (field.resolve && !isNonNullType(field.type) && !roots.has(type))
        field.resolve = failing(field.resolve);
    }
  }
}
