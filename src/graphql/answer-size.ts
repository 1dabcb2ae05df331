import {
  defaultFieldResolver,
  getNamedType,
  getNullableType,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  isIntrospectionType,
  isLeafType,
  isListType,
  isObjectType,
} from "graphql";
import { perRequest } from "../authentik/per-request.ts";
import type { GraphContext } from "./context.ts";
import { createSizer } from "./document-size.ts";
import { clientError } from "./errors.ts";

/**
 * Fields of lists that each get an error of their own where the caller is refused as a whole; beyond, one error of the list
 * says the same. graphql-js takes 25 µs for an error, and a few kilobytes of representations have thousands of fields.
 */
const MAX_REFUSED_FIELDS = 500;

/**
 * Bounds how many fields the lists of an answer may have together.
 *
 * The limits of a document count a list's fields once, since nothing in the document says how many items it will have:
 * a few hundred bytes could ask for a hundred rows under a hundred names.
 */
export function limitAnswers(schema: GraphQLSchema): void {
  const answerOf = perRequest(() => ({ fields: 0 }));

  function count(items: unknown, context: GraphContext, info: GraphQLResolveInfo): unknown {
    if (!Array.isArray(items)) return items;
    const { ofSelections } = createSizer((name) => info.fragments[name]);
    const answer = answerOf(context.authentik);
    for (const { selectionSet } of info.fieldNodes)
      if (selectionSet) answer.fields += items.length * ofSelections(selectionSet).fields;
    const actual = answer.fields;
    const { refusal } = context.authentik;
    if (refusal && actual > MAX_REFUSED_FIELDS) throw refusal;
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

  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || isIntrospectionType(type)) continue;
    for (const field of Object.values(type.getFields())) {
      if (!isListType(getNullableType(field.type)) || isLeafType(getNamedType(field.type))) continue;
      const { resolve = defaultFieldResolver } = field;
      field.resolve = (source, args, context: GraphContext, info) => {
        const items: unknown = resolve(source, args, context, info);
        return items instanceof Promise
          ? items.then((resolved: unknown) => count(resolved, context, info))
          : count(items, context, info);
      };
    }
  }
}
