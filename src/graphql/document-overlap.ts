import { Kind, type DocumentNode, type FragmentDefinitionNode, type SelectionSetNode } from "graphql";

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
 * Recursion is as deep as the fields nest: bound the document's depth first.
 */
export function overlapOf(
  document: DocumentNode,
  { fragments, maxVisits }: { fragments: ReadonlyMap<string, FragmentDefinitionNode>; maxVisits: number },
) {
  const overlap = {
    /** Pairs of fields with the same response key in one place, added up: what validation compares. */
    pairs: 0,
    /** Aliases in one place of one field without arguments, at most: the same value under different names. */
    aliasesOfOneField: 0,
    /** Field visits that counting took; when it exceeds the allowance, counting stopped there. */
    visits: 0,
  };
  const reached = new Set<string>();

  function place(sets: readonly SelectionSetNode[]): void {
    for (const group of collect(sets).values()) {
      overlap.pairs += (group.total * (group.total - 1)) / 2;
      if (group.below.length > 0 && overlap.visits <= maxVisits) place(group.below);
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
          if (selection.alias !== undefined && !selection.arguments?.length)
            overlap.aliasesOfOneField = Math.max(
              overlap.aliasesOfOneField,
              increment(aliased, selection.name.value),
            );
          const group = groupOf(groups, (selection.alias ?? selection.name).value);
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

function groupOf(groups: Map<string, Group>, key: string): Group {
  let group = groups.get(key);
  if (group === undefined) {
    group = { total: 0, below: [] };
    groups.set(key, group);
  }
  return group;
}

function increment(counts: Map<string, number>, key: string): number {
  const count = (counts.get(key) ?? 0) + 1;
  counts.set(key, count);
  return count;
}
