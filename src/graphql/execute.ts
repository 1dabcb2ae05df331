import { execute, type ExecutionResult, Kind, type OperationDefinitionNode } from "graphql";
import { LRUCache } from "lru-cache";
import { keepText } from "./format.ts";
import {
  createPrepare,
  estimatedBytes,
  findOperation,
  type PreparedDocument,
  type PrepareOptions,
} from "./prepare.ts";

/** What is said of an operation in the log; filled in when it is known. */
export interface OperationSummary {
  name?: string;
  type?: "query" | "mutation" | "subscription";
}

/** One operation to execute. */
export interface OperationParams {
  operationName?: string | null | undefined;
  variables?: Readonly<Record<string, unknown>> | null | undefined;
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
    /**
     * Executes one of the document's operations with graphql-js.
     * @throws {GraphQLError} where the name means no operation
     */
    execute(
      prepared: PreparedDocument,
      { operationName, variables }: OperationParams,
      context: { operation?: OperationSummary },
    ): ExecutionResult | Promise<ExecutionResult> {
      const operation = findOperation(prepared, operationName);
      const name = operation.name?.value;
      if (context.operation) {
        context.operation.type = operation.operation;
        if (name !== undefined) context.operation.name = name;
      }
      const known = schemaResults.get(operation);
      if (known !== undefined) return known;
      const result = execute({
        schema,
        document: prepared.document,
        contextValue: context,
        variableValues: variables,
        operationName: name,
      });
      if (!(result instanceof Promise) && result.data && !result.errors && asksForSchemaOnly(operation))
        schemaResults.set(operation, result, {
          // The operation is held as well.
          size: keepText(result.data).length * BYTES_PER_CHARACTER + estimatedBytes(prepared.document),
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
