import { BREAK, Kind, visit, type DocumentNode, type OperationDefinitionNode } from "graphql";
import { LRUCache } from "lru-cache";
import type { DocumentProblem } from "./document-check.ts";
import { expandedSizes } from "./document-size.ts";

/** A valid document with all that is known about it; nothing in it depends on variables or on who asks. */
export interface PreparedDocument<Compiled> {
  readonly document: DocumentNode;
  /** By name; the anonymous operation is at the empty string. */
  readonly operations: ReadonlyMap<string, OperationDefinitionNode>;
  /** Compiled forms by operation name, filled by whoever compiles; dropped with the document. */
  readonly compiled: Map<string, Compiled>;
  /** Fields in all operations, fragments followed. */
  readonly fields: number;
  /** How often the document must have been used before compiling it pays; Infinity: never. */
  readonly compileAfterUses: number;
  /** How often it was looked up. */
  uses: number;
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

/** Measured with Node 20: a syntax tree with locations takes 271 bytes a token, a compiled field 1,400. */
const BYTES_PER_TOKEN = 300;
const BYTES_PER_COMPILED_FIELD = 1_500;
const BYTES_PER_CHARACTER = 2;
const BYTES_PER_DOCUMENT = 2_000;

/**
 * Measured: compiling takes 0.06 ms a field, during which nothing else runs (640 ms for 500 connections with all their
 * fields), and executing without takes about a tenth of that. So large documents have to come more often first, and
 * very large ones are never compiled: otherwise sending a document twice would cost the sender less than us.
 */
const MAX_COMPILED_FIELDS = 1_500;
const FIELDS_PER_USE = 100;

/** Keeps documents that were used last, as many as fit into `maxBytes`. A document that fills half is not kept. */
export function createDocumentCache<Compiled>({
  maxBytes,
  check,
}: DocumentCacheOptions): DocumentCache<Compiled> {
  const kept = new LRUCache<string, PreparedDocument<Compiled>>({
    maxSize: Math.max(1, maxBytes),
    maxEntrySize: Math.max(1, Math.floor(maxBytes / 2)),
    sizeCalculation: estimateBytes,
  });
  return {
    get(source) {
      const known = kept.get(source);
      if (known !== undefined) {
        known.uses += 1;
        return known;
      }
      const document = check(source);
      if ("code" in document) return document;
      const prepared: PreparedDocument<Compiled> = {
        document,
        operations: operationsOf(document),
        compiled: new Map(),
        ...compilingOf(document),
        uses: 1,
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

function compilingOf(document: DocumentNode): { fields: number; compileAfterUses: number } {
  const { fields } = expandedSizes(document);
  if (!compilesFaithfully(document)) return { fields, compileAfterUses: Number.POSITIVE_INFINITY };
  const compileAfterUses =
    fields > MAX_COMPILED_FIELDS ? Number.POSITIVE_INFINITY : 1 + fields / FIELDS_PER_USE;
  return { fields, compileAfterUses };
}

/**
 * Whether compiled code gives what graphql-js gives. It keeps values in plain objects, where the name `__proto__` is no
 * key like others, and it loses `@skip` and `@include` on selections that are merged with others.
 */
function compilesFaithfully(document: DocumentNode): boolean {
  let faithful = true;
  visit(document, {
    enter(node) {
      if (node.kind !== Kind.DIRECTIVE && (node.kind !== Kind.NAME || node.value !== "__proto__"))
        return undefined;
      faithful = false;
      return BREAK;
    },
  });
  return faithful;
}

function estimateBytes({ document, fields }: PreparedDocument<unknown>, source: string): number {
  const tokens = document.tokenCount ?? source.length;
  const compiledFields = fields > MAX_COMPILED_FIELDS ? 0 : fields;
  return (
    BYTES_PER_DOCUMENT +
    tokens * BYTES_PER_TOKEN +
    source.length * BYTES_PER_CHARACTER +
    compiledFields * BYTES_PER_COMPILED_FIELD
  );
}
