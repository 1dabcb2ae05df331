import { Kind, type DocumentNode, type FragmentDefinitionNode, type SelectionSetNode } from "graphql";
import { countNodes, expandedSize, fragmentsOf } from "./document-size.ts";

/** How large and how tangled a document may be. */
export interface DocumentLimits {
  /** Lexical tokens in the source text. */
  maxTokens: number;
  /** Fields inside one another, fragments followed. */
  maxDepth: number;
  /** Aliases in the whole document. */
  maxAliases: number;
  /** Letters of one alias: it stands in the path of each error below it, and in each item of a list. */
  maxAliasLength: number;
  /** Selections at the top of all operations of the document together, fragments followed. */
  maxRootFields: number;
  /** Directives in the whole document. */
  maxDirectives: number;
  /** Fragment definitions. */
  maxFragments: number;
  maxOperations: number;
  /** Fields after following every fragment. */
  maxFields: number;
  /** Fields that the answer has about the schema, by estimate, fragments followed. */
  maxIntrospectionFields: number;
  /** Response keys of one field of one object. */
  maxAliasesOfOneField: number;
  /** Pairs of fields that the standard rules would compare with one another. */
  maxOverlappingFields: number;
}

/** What a document has too much of. Names are part of the API: clients see them in `extensions.limit`. */
export type LimitName =
  | "tokens"
  | "depth"
  | "nesting"
  | "aliases"
  | "aliasLength"
  | "rootFields"
  | "directives"
  | "fragments"
  | "operations"
  | "fields"
  | "introspectionFields"
  | "aliasesOfOneField"
  | "overlap";

/** The first limit that a document exceeds. */
export interface Excess {
  limit: LimitName;
  max: number;
  /** What was found; counting may have stopped just above `max`. */
  actual: number;
}

/**
 * The first limit that the document exceeds, or null. Takes time linear in the document, and bounded memory and
 * stack, whatever the document: meant to run before the standard validation rules, whose cost it bounds.
 *
 * Fragment cycles and unknown fragments are not reported here; validation does that.
 */
export function findExcess(document: DocumentNode, limits: DocumentLimits): Excess | null {
  const maxNesting = 4 * limits.maxDepth;
  const counts = countNodes(document, maxNesting);
  const syntactic =
    above("nesting", counts.nesting, maxNesting) ??
    above("operations", counts.operations, limits.maxOperations) ??
    above("fragments", counts.fragments, limits.maxFragments) ??
    above("aliases", counts.aliases, limits.maxAliases) ??
    above("aliasLength", counts.aliasLength, limits.maxAliasLength) ??
    above("directives", counts.directives, limits.maxDirectives);
  if (syntactic !== null) return syntactic;

  const fragments = fragmentsOf(document);
  const size = expandedSize(document, fragments);
  const expanded =
    above("rootFields", size.ownFields, limits.maxRootFields) ??
    above("depth", size.depth, limits.maxDepth) ??
    above("fields", size.fields, limits.maxFields) ??
    above("introspectionFields", size.introspectionFields, limits.maxIntrospectionFields);
  if (expanded !== null) return expanded;

  const overlap = overlapOf(document, { fragments, maxVisits: limits.maxFields, maxDepth: limits.maxDepth });
  return (
    above("fields", overlap.visits, limits.maxFields) ??
    above("aliasesOfOneField", overlap.aliasesOfOneField, limits.maxAliasesOfOneField) ??
    above("overlap", overlap.pairs, limits.maxOverlappingFields)
  );
}

function above(limit: LimitName, actual: number, max: number): Excess | null {
  return actual > max ? { limit, max, actual } : null;
}

/** Fields that share one response key in one place. */
interface Group {
  total: number;
  /** What stands below them: merged into one place as well. */
  below: SelectionSetNode[];
}

/**
 * How much of a document wants to be merged into the same place of the answer.
 *
 * Walks the document as it would be merged: every place of the answer once. Stops after `maxVisits` fields.
 */
function overlapOf(
  document: DocumentNode,
  options: { fragments: ReadonlyMap<string, FragmentDefinitionNode>; maxVisits: number; maxDepth: number },
) {
  const overlap = {
    /** Pairs of fields with the same response key in one place, added up: what validation compares. */
    pairs: 0,
    /** Aliases in one place of one field without arguments, at most: the same value under different names. */
    aliasesOfOneField: 0,
    /** Field visits that counting took; when it exceeds the allowance, counting stopped there. */
    visits: 0,
  };
  const { fragments, maxVisits, maxDepth } = options;
  const reached = new Set<string>();

  function place(sets: readonly SelectionSetNode[], depth = 1): void {
    for (const group of collect(sets).values()) {
      overlap.pairs += (group.total * (group.total - 1)) / 2;
      // Deeper than that are only fragments inside themselves, which validation refuses.
      const goesOn = overlap.visits <= maxVisits && depth <= maxDepth;
      if (group.below.length > 0 && goesOn) place(group.below, depth + 1);
    }
  }

  function collect(sets: readonly SelectionSetNode[]): Map<string, Group> {
    const groups = new Map<string, Group>();
    const spread = new Set<string>();
    const aliased = new Map<string, number>();
    const pending = [...sets];
    for (let set = pending.pop(); set !== undefined; set = pending.pop()) {
      for (const selection of set.selections) {
        if (selection.kind === Kind.FIELD) {
          if (++overlap.visits > maxVisits) return groups;
          if (selection.alias !== undefined && !selection.arguments?.length) {
            const count = (aliased.get(selection.name.value) ?? 0) + 1;
            aliased.set(selection.name.value, count);
            overlap.aliasesOfOneField = Math.max(overlap.aliasesOfOneField, count);
          }
          const key = (selection.alias ?? selection.name).value;
          const group = groups.get(key) ?? { total: 0, below: [] };
          groups.set(key, group);
          group.total++;
          if (selection.selectionSet !== undefined) group.below.push(selection.selectionSet);
        } else if (selection.kind === Kind.INLINE_FRAGMENT) {
          pending.push(selection.selectionSet);
        } else if (!spread.has(selection.name.value)) {
          spread.add(selection.name.value);
          reached.add(selection.name.value);
          const fragment = fragments.get(selection.name.value);
          if (fragment !== undefined) pending.push(fragment.selectionSet);
        }
      }
    }
    return groups;
  }

  for (const node of document.definitions)
    if (node.kind === Kind.OPERATION_DEFINITION) place([node.selectionSet]);
  for (const [name, fragment] of fragments) if (!reached.has(name)) place([fragment.selectionSet]);
  return overlap;
}
