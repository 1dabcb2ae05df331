import { Kind, type ASTNode, type DocumentNode } from "graphql";

/** What a document's syntax tree holds, fragments not followed. */
export interface NodeCounts {
  operations: number;
  fragments: number;
  aliases: number;
  /** Letters of the longest alias. */
  aliasLength: number;
  directives: number;
  /** Items of all lists that are written out. */
  listItems: number;
  /** Deepest selection set, list, input object or type modifier within its kind. */
  nesting: number;
}

/** A node and how many nodes that may contain themselves are around it. */
type Visit = [node: ASTNode, nesting: number];

/** Kinds that can contain their own kind without end; recursive code downstream needs them bounded. */
const NESTING_KINDS: ReadonlySet<string> = new Set([
  Kind.SELECTION_SET,
  Kind.LIST,
  Kind.OBJECT,
  Kind.LIST_TYPE,
]);

/** Counts without recursion, so that no document can exhaust the stack; gives up counting beyond `maxNesting`. */
export function countNodes(document: DocumentNode, maxNesting: number): NodeCounts {
  const counts: NodeCounts = {
    operations: 0,
    fragments: 0,
    aliases: 0,
    aliasLength: 0,
    directives: 0,
    listItems: 0,
    nesting: 0,
  };
  const pending: Visit[] = document.definitions.map((node) => [node, 0]);
  for (let visit = pending.pop(); visit !== undefined; visit = pending.pop()) {
    const [node, outer] = visit;
    const nesting = NESTING_KINDS.has(node.kind) ? outer + 1 : outer;
    counts.nesting = Math.max(counts.nesting, nesting);
    if (nesting > maxNesting) return counts;
    countNode(node, counts);
    for (const child of childrenOf(node)) pending.push([child, nesting]);
  }
  return counts;
}

function countNode(node: ASTNode, counts: NodeCounts): void {
  if (node.kind === Kind.OPERATION_DEFINITION) counts.operations++;
  else if (node.kind === Kind.FRAGMENT_DEFINITION) counts.fragments++;
  else if (node.kind === Kind.DIRECTIVE) counts.directives++;
  else if (node.kind === Kind.LIST) counts.listItems += node.values.length;
  else if (node.kind === Kind.FIELD && node.alias !== undefined) {
    counts.aliases++;
    counts.aliasLength = Math.max(counts.aliasLength, node.alias.value.length);
  }
}

/** Children that can nest or count; names and leaves are left out. */
function childrenOf(node: ASTNode): readonly ASTNode[] {
  switch (node.kind) {
    case Kind.OPERATION_DEFINITION:
      return [...(node.variableDefinitions ?? []), ...(node.directives ?? []), node.selectionSet];
    case Kind.FRAGMENT_DEFINITION:
      return [...(node.directives ?? []), node.selectionSet];
    case Kind.SELECTION_SET:
      return node.selections;
    case Kind.FIELD:
      return node.selectionSet === undefined
        ? [...(node.arguments ?? []), ...(node.directives ?? [])]
        : [...(node.arguments ?? []), ...(node.directives ?? []), node.selectionSet];
    case Kind.INLINE_FRAGMENT:
      return [...(node.directives ?? []), node.selectionSet];
    case Kind.FRAGMENT_SPREAD:
      return node.directives ?? [];
    case Kind.DIRECTIVE:
      return node.arguments ?? [];
    case Kind.ARGUMENT:
    case Kind.OBJECT_FIELD:
      return [node.value];
    case Kind.LIST:
      return node.values.filter(({ kind }) => NESTING_KINDS.has(kind));
    case Kind.OBJECT:
      return node.fields;
    case Kind.VARIABLE_DEFINITION:
      return node.defaultValue === undefined
        ? [node.type, ...(node.directives ?? [])]
        : [node.type, node.defaultValue, ...(node.directives ?? [])];
    case Kind.LIST_TYPE:
    case Kind.NON_NULL_TYPE:
      return [node.type];
    default:
      return [];
  }
}
