import {
  type DocumentNode,
  execute,
  type ExecutionResult,
  Kind,
  type OperationDefinitionNode,
} from "graphql";
import { LRUCache } from "lru-cache";
import type { GraphContext } from "./context.ts";
import { keepText } from "./format.ts";
import { createPrepare, estimatedBytes, type PrepareOptions } from "./prepare.ts";

/** What is said of an operation in the log. */
export interface OperationSummary {
  name?: string;
  type?: "query" | "mutation" | "subscription";
}

export function summaryOf({ operation: type, name }: OperationDefinitionNode): OperationSummary {
  return name ? { type, name: name.value } : { type };
}

export type Executor = ReturnType<typeof createExecutor>;

/** Estimated bytes of results about the schema that are kept; a whole introspection has some 350,000. */
const SCHEMA_RESULTS_BYTES = 4_000_000;
/** A result and its JSON in memory, in multiples of the JSON. */
const BYTES_PER_CHARACTER = 6;

const SCHEMA_FIELDS: ReadonlySet<string> = new Set(["__schema", "__type", "__typename", "_service"]);

/** From source texts to results, for one schema: every way in executes with it, and nothing else executes. */
export function createExecutor(options: PrepareOptions) {
  const { schema } = options;
  // What tells of the schema is the same for everyone, and dear: a small document asks for hundreds of kilobytes.
  const schemaResults = new LRUCache<OperationDefinitionNode, ExecutionResult>({
    maxSize: SCHEMA_RESULTS_BYTES,
  });
  return {
    prepare: createPrepare(options),
    /** Executes one of the document's operations with graphql-js. */
    execute(
      document: DocumentNode,
      {
        operation,
        variables,
      }: {
        operation: OperationDefinitionNode;
        variables: Readonly<Record<string, unknown>> | null | undefined;
      },
      context: GraphContext,
    ): ExecutionResult | Promise<ExecutionResult> {
      const known = schemaResults.get(operation);
      if (known !== undefined) return known;
      const result = execute({
        schema,
        document,
        contextValue: context,
        variableValues: variables,
        operationName: operation.name?.value,
      });
      if (!(result instanceof Promise) && result.data && !result.errors && asksForSchemaOnly(operation))
        schemaResults.set(operation, result, {
          // The operation is held as well.
          size: keepText(result.data).length * BYTES_PER_CHARACTER + estimatedBytes(document),
        });
      return result;
    },
  };
}

/** Whether the result depends on the document alone: nothing but fields about the schema, without variables or fragments. */
function asksForSchemaOnly({ variableDefinitions, selectionSet }: OperationDefinitionNode): boolean {
  return (
    variableDefinitions?.length === 0 &&
    selectionSet.selections.every(
      (selection) => selection.kind === Kind.FIELD && SCHEMA_FIELDS.has(selection.name.value),
    )
  );
}
