import { type ASTNode, type DocumentNode, type GraphQLError, type SourceLocation, visit } from "graphql";

const positions = new WeakMap<ASTNode, SourceLocation>();

const LINE_END = /\r\n|[\n\r]/g;

/**
 * Takes the locations off a valid document, and remembers lines and columns instead.
 *
 * graphql-js looks for the line of each error anew, from the beginning of the source: a thousand errors in a source of
 * many lines kept a core for half a minute. Its locations also hold all tokens, comments among them.
 */
export function detachLocations(document: DocumentNode): void {
  const lineEnds = document.loc?.source.body.matchAll(LINE_END);
  let lineEnd = lineEnds?.next().value;
  let line = 1;
  let lineStart = 0;
  // Nodes come in the order in which they begin.
  visit(document, {
    enter(node) {
      if (!node.loc) return;
      const { start } = node.loc;
      for (; lineEnd && lineEnd.index < start; lineEnd = lineEnds?.next().value) {
        line += 1;
        lineStart = lineEnd.index + lineEnd[0].length;
      }
      positions.set(node, { line, column: start - lineStart + 1 });
      Object.assign(node, { loc: undefined });
    },
  });
}

/** Where an error's nodes stand. */
export function locationsOf({ nodes = [], locations }: GraphQLError): readonly SourceLocation[] {
  return locations ?? nodes.flatMap((node) => positions.get(node) ?? []);
}
