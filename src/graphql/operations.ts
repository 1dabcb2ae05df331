import {
  type ASTVisitor,
  execute,
  type ExecutionResult,
  GraphQLError,
  type GraphQLSchema,
  NoSchemaIntrospectionCustomRule,
  type OperationDefinitionNode,
  type ValidationContext,
} from "graphql";
import type * as Jit from "graphql-jit";
import { createDocumentCache, type PreparedDocument } from "./document-cache.ts";
import { checkDocumentText, type DocumentProblem, validateDocument } from "./document-check.ts";
import type { DocumentLimits } from "./document-limits.ts";
import { clientError } from "./errors.ts";

/** What is said of an operation in the log; filled in when it is known. */
export interface OperationNote {
  name?: string;
  type?: "query" | "mutation" | "subscription";
}

/** How documents are checked, kept and executed. */
export interface OperationOptions {
  schema: GraphQLSchema;
  limits: DocumentLimits;
  /** Estimated bytes of prepared documents that are kept. */
  cacheBytes: number;
  introspection: boolean;
  /** Whether operations that come again are compiled. Off where every resolver must be seen, as for traces. */
  compile: boolean;
}

/** Compiled, or impossible to compile. */
export type Compiled = Jit.CompiledQuery | "not-compilable";

/** One operation to execute. */
export interface OperationCall {
  operationName?: string | null | undefined;
  variables?: Record<string, unknown> | null | undefined;
  context: { operation?: OperationNote };
}

/** From source text to results. */
export interface Operations {
  /**
   * The valid document of a source text.
   * @throws {GraphQLError} or an AggregateError of several: why there is none
   */
  prepare(source: string): PreparedDocument<Compiled>;
  /** The operation that a name means, or why it means none. No name, or an empty one, means the only operation. */
  find(
    prepared: PreparedDocument<Compiled>,
    operationName: string | null | undefined,
  ): OperationDefinitionNode | GraphQLError;
  /** Loads the compiler, which is not needed before documents come again. Until then nothing is compiled. */
  warmUp(): Promise<void>;
  /** Executes one of the document's operations. */
  execute(
    prepared: PreparedDocument<Compiled>,
    call: OperationCall,
  ): ExecutionResult | Promise<ExecutionResult>;
}

/**
 * Parses, limits, validates and compiles each document once.
 *
 * The limits are checked first, in linear time, since the standard rules can be made to burn CPU. An operation is
 * compiled when its document has come often enough: documents that never come again cost no compilation.
 */
export function createOperations(options: OperationOptions): Operations {
  const { schema, limits, cacheBytes, introspection, compile } = options;
  const extraRules = [OperationTypesRule, ...(introspection ? [] : [NoSchemaIntrospectionCustomRule])];
  const cache = createDocumentCache<Compiled>({
    maxBytes: cacheBytes,
    check(source) {
      const document = checkDocumentText(source, limits);
      return "code" in document ? document : (validateDocument(document, { schema, extraRules }) ?? document);
    },
  });

  let jit: typeof Jit | null = null;
  let loading: Promise<void> | null = null;

  async function loadCompiler(): Promise<void> {
    jit = await import("graphql-jit");
  }

  function compiledForm(
    prepared: PreparedDocument<Compiled>,
    operation: OperationDefinitionNode,
  ): Compiled | undefined {
    const key = operation.name?.value ?? "";
    const known = prepared.compiled.get(key);
    if (known !== undefined || !compile || prepared.uses <= prepared.compileAfterUses) return known;
    if (!jit) {
      loading ??= loadCompiler();
      return undefined;
    }
    const form = jit.compileQuery(schema, prepared.document, operation.name?.value);
    const compiled = jit.isCompiledQuery(form) ? form : "not-compilable";
    prepared.compiled.set(key, compiled);
    return compiled;
  }

  return {
    find: findOperation,
    warmUp: () => (loading ??= loadCompiler()),
    prepare(source) {
      const prepared = cache.get(source);
      if ("code" in prepared) throw asError(prepared);
      return prepared;
    },
    execute(prepared, { operationName, variables, context }) {
      const operation = findOperation(prepared, operationName);
      if (operation instanceof GraphQLError) return { errors: [operation] };
      const { operation: note } = context;
      if (note) {
        note.type = operation.operation;
        if (operation.name) note.name = operation.name.value;
      }
      const compiled = compiledForm(prepared, operation);
      if (typeof compiled === "object") {
        const result = compiled.query(undefined, context, variables ?? {});
        // Refused variables: nothing was executed, and graphql-js words them as everywhere else.
        if ("data" in result || "then" in result) return result;
      }
      const { document } = prepared;
      return execute({
        schema,
        document,
        contextValue: context,
        variableValues: variables,
        operationName: operation.name?.value,
      });
    },
  };
}

/** The standard rules leave operations of a type that the schema does not have to the executor. */
function OperationTypesRule(context: ValidationContext): ASTVisitor {
  return {
    OperationDefinition(node) {
      if (context.getSchema().getRootType(node.operation)) return;
      context.reportError(new GraphQLError(`There are no ${node.operation}s here.`, { nodes: node }));
    },
  };
}

function findOperation(
  { operations }: PreparedDocument<Compiled>,
  operationName: string | null | undefined,
): OperationDefinitionNode | GraphQLError {
  const name = operationName ?? "";
  const named = operations.get(name);
  if (named) return named;
  const [only, ...others] = operations.values();
  return name === "" && only && others.length === 0 ? only : unknownOperation(name);
}

function unknownOperation(name: string): GraphQLError {
  return new GraphQLError(
    name === ""
      ? "Say in operationName which of the document's operations is meant."
      : "The document has no operation of the name in operationName.",
    { extensions: { code: "OPERATION_RESOLUTION_FAILURE" } },
  );
}

function asError(problem: DocumentProblem): Error {
  if (problem.code === "LIMIT_EXCEEDED") {
    const { limit, max, actual } = problem.excess;
    return clientError(
      "LIMIT_EXCEEDED",
      "The document is larger than this gateway takes. Ask for less at once.",
      {
        limit,
        max,
        actual,
      },
    );
  }
  const errors = problem.errors.map(
    (error) =>
      new GraphQLError(error.message, {
        nodes: error.nodes ?? null,
        source: error.source,
        positions: error.positions,
        extensions: { code: problem.code },
      }),
  );
  return new AggregateError(errors, problem.code);
}
