import {
  GraphQLError,
  Lexer,
  Source,
  TokenKind,
  parse,
  specifiedRules,
  validate,
  type DocumentNode,
  type GraphQLSchema,
  type ValidationRule,
} from "graphql";
import { findExcess, type DocumentLimits, type Excess } from "./document-limits.ts";

/** Why a document will not be executed. Every message is safe to show and bounded in length. */
export type DocumentProblem =
  | { code: "GRAPHQL_PARSE_FAILED"; errors: readonly GraphQLError[] }
  | { code: "GRAPHQL_VALIDATION_FAILED"; errors: readonly GraphQLError[] }
  | { code: "LIMIT_EXCEEDED"; excess: Excess };

/** Errors that one invalid document is answered with, at most. */
const MAX_VALIDATION_ERRORS = 5;

/** Characters of one message; parser and validation quote names of any length from the document. */
const MAX_MESSAGE_LENGTH = 300;

/**
 * Parses within the limits and looks for every excess, before any rule of validation runs.
 * Costs time linear in the source, whatever the source.
 */
export function checkDocumentText(source: string, limits: DocumentLimits): DocumentNode | DocumentProblem {
  let document: DocumentNode;
  try {
    document = parse(source, { maxTokens: limits.maxTokens });
  } catch (error) {
    const { maxTokens } = limits;
    if (error instanceof GraphQLError && hasMoreTokens(source, maxTokens))
      return { code: "LIMIT_EXCEEDED", excess: { limit: "tokens", max: maxTokens, actual: maxTokens + 1 } };
    return { code: "GRAPHQL_PARSE_FAILED", errors: [parseError(error)] };
  }
  const excess = findExcess(document, limits);
  return excess === null ? document : { code: "LIMIT_EXCEEDED", excess };
}

/**
 * The standard rules and `extraRules`, with few errors. Null when valid.
 * @param options.hideSuggestions whether no error guesses at what was meant: guesses give a hidden schema away
 */
export function validateDocument(
  document: DocumentNode,
  options: { schema: GraphQLSchema; extraRules?: readonly ValidationRule[]; hideSuggestions?: boolean },
): DocumentProblem | null {
  const { schema, extraRules = [], hideSuggestions = true } = options;
  const errors = validate(schema, document, [...specifiedRules, ...extraRules], {
    // One more than shown: graphql-js adds an error of its own when it gives up.
    maxErrors: MAX_VALIDATION_ERRORS - 1,
    hideSuggestions,
  });
  return errors.length === 0 ? null : { code: "GRAPHQL_VALIDATION_FAILED", errors: errors.map(shortened) };
}

/** A document's nesting can exhaust the parser's stack: that is the document's fault, not ours. */
function parseError(error: unknown): GraphQLError {
  if (error instanceof GraphQLError) return shortened(error);
  if (error instanceof RangeError)
    return new GraphQLError("Syntax Error: The document is nested too deeply.");
  throw error;
}

function shortened(error: GraphQLError): GraphQLError {
  const { message, nodes = null, source, positions } = error;
  if (message.length <= MAX_MESSAGE_LENGTH) return error;
  return new GraphQLError(`${message.slice(0, MAX_MESSAGE_LENGTH)}…`, { nodes, source, positions });
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
