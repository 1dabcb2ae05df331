import {
  defaultFieldResolver,
  type ExecutionResult,
  GraphQLError,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  isIntrospectionType,
  isObjectType,
  locatedError,
  responsePathAsArray,
} from "graphql";
import type { GraphContext } from "./context.ts";
import { clientErrorOptions, withoutStack } from "./errors.ts";

/** More fields of an operation failed than an answer may have errors. */
class TooManyErrors extends GraphQLError {}

/**
 * Bounds how many errors an answer may have.
 *
 * One cause fails every field that needs authentik, in every item of a list: without a credential, 13 KB of
 * representations and aliases were answered with 24,000 errors, which took a second and 6 MB. Errors are made here with
 * their path, so that graphql-js makes no further one of each.
 */
export function limitErrors(schema: GraphQLSchema): void {
  const failures = new WeakMap<object, { count: number; tooMany: GraphQLError | null }>();

  function located(error: unknown, context: GraphContext, info: GraphQLResolveInfo): GraphQLError {
    const { authentik, maxAnswerErrors: max } = context;
    const failed = failures.get(authentik) ?? { count: 0, tooMany: null };
    failures.set(authentik, failed);
    failed.count += 1;
    if (failed.count <= max)
      return withoutStack(() => locatedError(error, info.fieldNodes, responsePathAsArray(info.path)));
    failed.tooMany ??= withoutStack(
      () =>
        new TooManyErrors("Too many fields of this operation failed. Ask for less at once.", {
          path: responsePathAsArray(info.path),
          ...clientErrorOptions("LIMIT_EXCEEDED", { limit: "errors", max, actual: max + 1 }),
        }),
    );
    return failed.tooMany;
  }

  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || isIntrospectionType(type)) continue;
    for (const field of Object.values(type.getFields())) {
      const { resolve = defaultFieldResolver } = field;
      if (resolve === defaultFieldResolver) continue;
      field.resolve = (source, args, context: GraphContext, info) => {
        const tooMany = failures.get(context.authentik)?.tooMany;
        if (tooMany) throw tooMany;
        try {
          const value: unknown = resolve(source, args, context, info);
          if (!(value instanceof Promise)) return value;
          return value.catch((error: unknown) => {
            throw located(error, context, info);
          });
        } catch (error) {
          throw located(error, context, info);
        }
      };
    }
  }
}

/** A result as it may go out: the many errors of one that has too many say nothing that one does not. */
export function withinErrors(result: ExecutionResult): ExecutionResult {
  const tooMany = result.errors?.find((error) => error instanceof TooManyErrors);
  // What is null for want of an answer must not look like what is not there.
  return tooMany ? { data: null, errors: [tooMany] } : result;
}
