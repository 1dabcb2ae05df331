import { GraphQLError } from "graphql";
import type { Plugin } from "graphql-yoga";
import type { PreparedDocument } from "./document-cache.ts";
import type { Compiled, OperationNote, Operations } from "./operations.ts";

interface Context {
  operation?: OperationNote;
  /** As yoga parsed the request; its type leaves open what a client really sent. */
  params?: { operationName?: unknown };
}

/** Lets yoga parse, validate and execute by {@link Operations}, as the short way for JSON by POST does. */
export function useOperations(operations: Operations): Plugin<Context> {
  const preparedBy = new WeakMap<object, PreparedDocument<Compiled>>();
  return {
    onParse({ params: { source }, context, setParsedDocument }) {
      const prepared = operations.prepare(typeof source === "string" ? source : source.body);
      const name = context.params?.operationName;
      // yoga has other words for this, and says them right after parsing.
      const operation = operations.find(prepared, typeof name === "string" ? name : null);
      if (operation instanceof GraphQLError) throw operation;
      preparedBy.set(prepared.document, prepared);
      setParsedDocument(prepared.document);
    },
    onValidate({ setResult }) {
      // Every document that was let through above is valid.
      setResult([]);
    },
    onExecute({ args, setExecuteFn }) {
      setExecuteFn(() => {
        const { document, operationName, variableValues: variables, contextValue: context } = args;
        const prepared = preparedBy.get(document);
        if (!prepared) throw new GraphQLError("The document was not prepared.");
        return operations.execute(prepared, { operationName, variables, context });
      });
    },
  };
}
