import {
  type ASTVisitor,
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  Lexer,
  NoSchemaIntrospectionCustomRule,
  parse,
  Source,
  specifiedRules,
  TokenKind,
  validate,
  type ValidationContext,
} from "graphql";
import { findExcess, type DocumentLimits, type Excess } from "./document-limits.ts";
import { clientError } from "./errors.ts";

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

const RULES = [...specifiedRules, OperationTypesRule];
const RULES_WITHOUT_INTROSPECTION = [...RULES, NoSchemaIntrospectionCustomRule];

/**
 * Applies the standard rules and the house's own. Where introspection is off, no error guesses at what was meant: guesses
 * give a hidden schema away.
 * @throws {AggregateError} of a few errors
 */
export function checkValid(
  document: DocumentNode,
  { schema, introspection }: { schema: GraphQLSchema; introspection: boolean },
): void {
  const errors = validate(schema, document, introspection ? RULES : RULES_WITHOUT_INTROSPECTION, {
    // One more than shown: graphql-js adds an error of its own when it gives up.
    maxErrors: MAX_VALIDATION_ERRORS - 1,
    hideSuggestions: !introspection,
  });
  if (errors.length > 0) throw invalid("GRAPHQL_VALIDATION_FAILED", errors);
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
    const short = message.length <= MAX_MESSAGE_LENGTH ? message : `${message.slice(0, MAX_MESSAGE_LENGTH)}…`;
    return new GraphQLError(short, { nodes, source, positions, extensions: { code } });
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
