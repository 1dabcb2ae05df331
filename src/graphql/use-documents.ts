import {
  execute,
  type ExecutionArgs,
  GraphQLError,
  type GraphQLSchema,
  NoSchemaIntrospectionCustomRule,
} from "graphql";
import { type CompiledQuery, compileQuery, isCompiledQuery } from "graphql-jit";
import type { Plugin } from "graphql-yoga";
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
export interface DocumentOptions {
  schema: GraphQLSchema;
  limits: DocumentLimits;
  /** Estimated bytes of prepared documents that are kept. */
  cacheBytes: number;
  introspection: boolean;
  /** Whether operations that come again are compiled. Off where every resolver must be seen, as for traces. */
  compile: boolean;
}

/** Compiled, or impossible to compile. */
type Compiled = CompiledQuery | "not-compilable";

/**
 * Parses, limits, validates and compiles each document once.
 *
 * The limits are checked first, in linear time, since the standard rules can be made to burn CPU. An operation is
 * compiled when its document has come often enough: documents that never come again cost no compilation.
 */
export function useDocuments(options: DocumentOptions): Plugin<{ operation?: OperationNote }> {
  const { schema, limits, cacheBytes, introspection, compile } = options;
  const extraRules = introspection ? [] : [NoSchemaIntrospectionCustomRule];
  const cache = createDocumentCache<Compiled>({
    maxBytes: cacheBytes,
    check(source) {
      const document = checkDocumentText(source, limits);
      return "code" in document ? document : (validateDocument(document, { schema, extraRules }) ?? document);
    },
  });
  const prepared = new WeakMap<object, PreparedDocument<Compiled>>();

  return {
    onParse({ params, setParsedDocument }) {
      const entry = cache.get(typeof params.source === "string" ? params.source : params.source.body);
      if ("code" in entry) throw asError(entry);
      prepared.set(entry.document, entry);
      setParsedDocument(entry.document);
    },
    onValidate({ setResult }) {
      // Every document that was let through above is valid.
      setResult([]);
    },
    onExecute({ args, setExecuteFn, setResultAndStopExecution }) {
      const entry = prepared.get(args.document);
      const name = args.operationName ?? "";
      const operation = entry?.operations.get(name) ?? (name === "" ? onlyOperation(entry) : undefined);
      if (!entry || !operation) {
        setResultAndStopExecution({ errors: [unknownOperation(name)] });
        return;
      }
      const note = args.contextValue.operation;
      if (note) {
        note.type = operation.operation;
        if (operation.name) note.name = operation.name.value;
      }
      const key = operation.name?.value ?? "";
      let compiled = entry.compiled.get(key);
      if (compile && compiled === undefined && entry.uses > entry.compileAfterUses) {
        compiled = compileOperation(args);
        entry.compiled.set(key, compiled);
      }
      if (typeof compiled === "object") {
        const { query } = compiled;
        setExecuteFn((run: ExecutionArgs) => {
          const result = query(run.rootValue, run.contextValue, run.variableValues ?? {});
          // Refused variables: nothing was executed, and graphql-js words them as everywhere else.
          return "data" in result || "then" in result ? result : execute(run);
        });
      } else setExecuteFn(execute);
    },
  };
}

function compileOperation({ schema, document, operationName }: ExecutionArgs): Compiled {
  const compiled = compileQuery(schema, document, operationName ?? undefined);
  return isCompiledQuery(compiled) ? compiled : "not-compilable";
}

function onlyOperation(entry: PreparedDocument<Compiled> | undefined) {
  if (entry?.operations.size !== 1) return undefined;
  return entry.operations.values().next().value;
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
