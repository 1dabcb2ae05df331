import {
  type ASTVisitor,
  type DocumentNode,
  getOperationAST,
  GraphQLError,
  type GraphQLSchema,
  Lexer,
  NoSchemaIntrospectionCustomRule,
  type OperationDefinitionNode,
  parse,
  Source,
  specifiedRules,
  TokenKind,
  validate,
  type ValidationContext,
} from "graphql";
import { LRUCache } from "lru-cache";
import { shortened } from "../authentik/decoders.ts";
import { type DocumentLimits, type Excess, findExcess } from "./document-limits.ts";
import { clientError } from "./errors.ts";
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
  const rules = [...specifiedRules, OperationTypesRule];
  if (!introspection) rules.push(NoSchemaIntrospectionCustomRule);
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
    const errors = validate(schema, document, rules, {
      // One more than shown: graphql-js adds an error of its own when it gives up.
      maxErrors: MAX_VALIDATION_ERRORS - 1,
      // Guesses at what was meant give a hidden schema away.
      hideSuggestions: !introspection,
    });
    if (errors.length > 0) throw invalid("GRAPHQL_VALIDATION_FAILED", errors);
    detachLocations(document);
    kept.set(source, document);
    return document;
  };
}

/** What a parsed document takes in memory, without its source. */
export function estimatedBytes({ tokenCount = 0 }: DocumentNode): number {
  return BYTES_PER_DOCUMENT + tokenCount * BYTES_PER_TOKEN;
}

/** Errors that one invalid document is answered with, at most. */
const MAX_VALIDATION_ERRORS = 5;

/** Characters of one message; parser and validation quote names of any length from the document. */
const MAX_MESSAGE_LENGTH = 300;

/**
 * Parses within the limits and looks for every excess, before any rule of validation runs.
 * Costs time linear in the source, whatever the source.
 * @throws {GraphQLError} LIMIT_EXCEEDED, or an AggregateError of one that says where it cannot be parsed
 */
export function parseWithin(limits: DocumentLimits, source: string): DocumentNode {
  const { maxTokens } = limits;
  let document: DocumentNode;
  try {
    document = parse(source, { maxTokens });
  } catch (error) {
    if (error instanceof GraphQLError && hasMoreTokens(source, maxTokens))
      throw tooLarge({ limit: "tokens", max: maxTokens, actual: maxTokens + 1 });
    throw invalid("GRAPHQL_PARSE_FAILED", [parseError(error)]);
  }
  const excess = findExcess(document, limits);
  if (excess) throw tooLarge(excess);
  return document;
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

/** A document's nesting can exhaust the parser's stack: that is the document's fault, not ours. */
function parseError(error: unknown): GraphQLError {
  if (error instanceof GraphQLError) return error;
  if (error instanceof RangeError)
    return new GraphQLError("Syntax Error: The document is nested too deeply.");
  throw error;
}

function tooLarge(excess: Excess): GraphQLError {
  return clientError(
    "LIMIT_EXCEEDED",
    "The document is larger than this gateway takes. Ask for less at once.",
    { ...excess },
  );
}

/** Errors of graphql-js with a code, and no longer than is safe to show. */
function invalid(code: string, errors: readonly GraphQLError[]): AggregateError {
  const coded = errors.map(({ message, nodes = null, source, positions }) => {
    return new GraphQLError(shortened(message, MAX_MESSAGE_LENGTH), {
      nodes,
      source,
      positions,
      extensions: { code },
    });
  });
  return new AggregateError(coded, code);
}

/** Tells the parser's two reasons to give up apart without reading its message. */
function hasMoreTokens(source: string, maxTokens: number): boolean {
  const lexer = new Lexer(new Source(source));
  try {
    for (let tokens = 0; tokens <= maxTokens; tokens++)
      if (lexer.advance().kind === TokenKind.EOF) return false;
    return true;
  } catch {
    return false;
  }
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
