import { BREAK, Kind, visit, type ASTNode, type DocumentNode } from "graphql";

/** Kinds that can contain their own kind without end; recursive code downstream needs them bounded. */
const NESTING_KINDS: ReadonlySet<string> = new Set([
  Kind.SELECTION_SET,
  Kind.LIST,
  Kind.OBJECT,
  Kind.LIST_TYPE,
]);

/**
 * What a document's syntax tree holds, fragments not followed. Counts without recursion, so that no document can exhaust
 * the stack; gives up counting beyond `maxNesting`.
 */
export function countNodes(document: DocumentNode, maxNesting = Number.POSITIVE_INFINITY) {
  const counts = {
    operations: 0,
    fragments: 0,
    aliases: 0,
    /** Letters of the longest alias. */
    aliasLength: 0,
    directives: 0,
    /** Items of all lists that are written out. */
    listItems: 0,
    /** Deepest selection set, list, input object or type modifier within its kind. */
    nesting: 0,
  };
  let nesting = 0;
  visit(document, {
    enter(node) {
      if (NESTING_KINDS.has(node.kind)) nesting += 1;
      counts.nesting = Math.max(counts.nesting, nesting);
      if (nesting > maxNesting) return BREAK;
      countNode(node, counts);
      return undefined;
    },
    leave(node) {
      if (NESTING_KINDS.has(node.kind)) nesting -= 1;
    },
  });
  return counts;
}

function countNode(node: ASTNode, counts: ReturnType<typeof countNodes>): void {
  if (node.kind === Kind.OPERATION_DEFINITION) counts.operations++;
  else if (node.kind === Kind.FRAGMENT_DEFINITION) counts.fragments++;
  else if (node.kind === Kind.DIRECTIVE) counts.directives++;
  else if (node.kind === Kind.LIST) counts.listItems += node.values.length;
  else if (node.kind === Kind.FIELD && node.alias !== undefined) {
    counts.aliases++;
    counts.aliasLength = Math.max(counts.aliasLength, node.alias.value.length);
  }
}
