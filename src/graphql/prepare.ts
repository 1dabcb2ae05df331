import {
  type DocumentNode,
  getOperationAST,
  GraphQLError,
  type GraphQLSchema,
  type OperationDefinitionNode,
} from "graphql";
import { LRUCache } from "lru-cache";
import { checkValid, parseWithin } from "./document-check.ts";
import type { DocumentLimits } from "./document-limits.ts";
import { detachLocations } from "./locations.ts";

/** How documents are checked and kept. */
export interface PrepareOptions {
  schema: GraphQLSchema;
  limits: DocumentLimits;
  /** Estimated bytes of heap for all documents that are kept. */
  cacheBytes: number;
  introspection: boolean;
}

/** Measured with Node 20: a syntax tree with locations takes 271 bytes a token. */
const BYTES_PER_TOKEN = 300;
const BYTES_PER_CHARACTER = 2;
const BYTES_PER_DOCUMENT = 2_000;

/**
 * Parses, limits and validates each document once, and keeps those that were used last. A document that fills half of
 * the memory is not kept, nor is one with problems: those are found anew, since keeping them costs memory.
 *
 * The limits are checked first, in linear time, since the standard rules can be made to burn CPU.
 */
export function createPrepare({ schema, limits, cacheBytes, introspection }: PrepareOptions) {
  const kept = new LRUCache<string, DocumentNode>({
    maxSize: Math.max(1, cacheBytes),
    maxEntrySize: Math.max(1, Math.floor(cacheBytes / 2)),
    sizeCalculation: (document, source) => estimatedBytes(document) + source.length * BYTES_PER_CHARACTER,
  });
  /**
   * The valid document of a source text. Nothing in it depends on variables or on who asks.
   * @throws {GraphQLError} or an AggregateError of several: why there is none
   */
  return (source: string): DocumentNode => {
    const known = kept.get(source);
    if (known !== undefined) return known;
    const document = parseWithin(limits, source);
    checkValid(document, { schema, introspection });
    detachLocations(document);
    kept.set(source, document);
    return document;
  };
}

/** What a parsed document takes in memory, without its source. */
export function estimatedBytes({ tokenCount = 0 }: DocumentNode): number {
  return BYTES_PER_DOCUMENT + tokenCount * BYTES_PER_TOKEN;
}

/** The operation that a name means. No name, or an empty one, means the only operation. @throws {GraphQLError} */
export function findOperation(
  document: DocumentNode,
  operationName: string | null | undefined,
): OperationDefinitionNode {
  const operation = getOperationAST(document, operationName || null);
  if (operation) return operation;
  throw new GraphQLError(
    operationName
      ? "The document has no operation of the name in operationName."
      : "Say in operationName which of the document's operations is meant.",
    { extensions: { code: "OPERATION_RESOLUTION_FAILURE" } },
  );
}
