import { Kind, type DocumentNode, type OperationDefinitionNode } from "graphql";
import { LRUCache } from "lru-cache";
import type { DocumentProblem } from "./document-check.ts";

/** A valid document with all that is known about it; nothing in it depends on variables or on who asks. */
export interface PreparedDocument<Compiled> {
  readonly document: DocumentNode;
  /** By name; the anonymous operation is at the empty string. */
  readonly operations: ReadonlyMap<string, OperationDefinitionNode>;
  /** Compiled forms by operation name, filled by whoever compiles; dropped with the document. */
  readonly compiled: Map<string, Compiled>;
}

/** From source text to prepared documents. */
export interface DocumentCache<Compiled> {
  /** The prepared document, or why there is none. Problems are found anew each time: keeping them costs memory. */
  get(source: string): PreparedDocument<Compiled> | DocumentProblem;
  /** Estimated bytes kept now. */
  bytes(): number;
}

/** How to make what is kept, and how much of it. */
export interface DocumentCacheOptions {
  /** Estimated bytes of heap for everything kept together. */
  maxBytes: number;
  /** Parses, checks and validates. Must depend on the source alone. */
  check: (source: string) => DocumentNode | DocumentProblem;
}

/** Measured with Node 20: a syntax tree with locations takes 271 bytes a token, compiled code about as much. */
const BYTES_PER_TOKEN = 550;
const BYTES_PER_CHARACTER = 2;
const BYTES_PER_DOCUMENT = 2_000;

/** Keeps documents that were used last, as many as fit into `maxBytes`. A document that fills half is not kept. */
export function createDocumentCache<Compiled>({
  maxBytes,
  check,
}: DocumentCacheOptions): DocumentCache<Compiled> {
  const kept = new LRUCache<string, PreparedDocument<Compiled>>({
    maxSize: Math.max(1, maxBytes),
    maxEntrySize: Math.max(1, Math.floor(maxBytes / 2)),
    sizeCalculation: ({ document }, source) => estimateBytes(document, source),
  });
  return {
    get(source) {
      const known = kept.get(source);
      if (known !== undefined) return known;
      const document = check(source);
      if ("code" in document) return document;
      const prepared = {
        document,
        operations: operationsOf(document),
        compiled: new Map<string, Compiled>(),
      };
      kept.set(source, prepared);
      return prepared;
    },
    bytes: () => kept.calculatedSize,
  };
}

function operationsOf(document: DocumentNode): ReadonlyMap<string, OperationDefinitionNode> {
  const operations = new Map<string, OperationDefinitionNode>();
  for (const node of document.definitions)
    if (node.kind === Kind.OPERATION_DEFINITION) operations.set(node.name?.value ?? "", node);
  return operations;
}

function estimateBytes({ tokenCount }: DocumentNode, source: string): number {
  const tokens = tokenCount ?? source.length;
  return BYTES_PER_DOCUMENT + tokens * BYTES_PER_TOKEN + source.length * BYTES_PER_CHARACTER;
}
