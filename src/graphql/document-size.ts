import { Kind, type DocumentNode, type FragmentDefinitionNode, type SelectionSetNode } from "graphql";

/** What a document amounts to once every fragment is followed. */
export interface ExpandedSizes {
  /** Fields inside one another, at the deepest. */
  depth: number;
  fields: number;
  rootFields: number;
  /** `__schema` and `__type` and all fields inside them. */
  introspectionFields: number;
}

/** What one selection set adds where it stands. */
interface Size {
  depth: number;
  fields: number;
  /** Fields of the set itself, through fragments but not through fields. */
  ownFields: number;
  introspectionFields: number;
}

const NOTHING: Size = { depth: 0, fields: 0, ownFields: 0, introspectionFields: 0 };

/**
 * Sizes of all operations; each fragment is measured once, hence linear time even where its expansion is
 * exponential. Recursion is as deep as the nesting and the chain of fragments: bound both first.
 * A fragment inside itself adds nothing there, and unknown fragments add nothing.
 */
export function expandedSizes(document: DocumentNode): ExpandedSizes {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const node of document.definitions)
    if (node.kind === Kind.FRAGMENT_DEFINITION) fragments.set(node.name.value, node);
  const measured = new Map<string, Size>();

  function ofFragment(name: string): Size {
    const known = measured.get(name);
    if (known !== undefined) return known;
    const fragment = fragments.get(name);
    if (fragment === undefined) return NOTHING;
    measured.set(name, NOTHING); // What a cycle finds.
    const size = ofSelections(fragment.selectionSet);
    measured.set(name, size);
    return size;
  }

  function ofSelections(set: SelectionSetNode): Size {
    const sum = { ...NOTHING };
    for (const selection of set.selections) {
      if (selection.kind === Kind.FRAGMENT_SPREAD) add(sum, ofFragment(selection.name.value));
      else if (selection.kind === Kind.INLINE_FRAGMENT) add(sum, ofSelections(selection.selectionSet));
      else {
        const below = selection.selectionSet === undefined ? NOTHING : ofSelections(selection.selectionSet);
        const introspects = selection.name.value === "__schema" || selection.name.value === "__type";
        add(sum, {
          depth: below.depth + 1,
          fields: below.fields + 1,
          ownFields: 1,
          introspectionFields: introspects ? below.fields + 1 : below.introspectionFields,
        });
      }
    }
    return sum;
  }

  const total = { ...NOTHING };
  for (const node of document.definitions)
    if (node.kind === Kind.OPERATION_DEFINITION) add(total, ofSelections(node.selectionSet));
  for (const name of fragments.keys()) total.depth = Math.max(total.depth, ofFragment(name).depth); // Validation visits unused ones too.
  const { depth, fields, ownFields: rootFields, introspectionFields } = total;
  return { depth, fields, rootFields, introspectionFields };
}

/** Numbers may grow to Infinity for exponential documents, which compares as it should. */
function add(sum: Size, size: Size): void {
  sum.depth = Math.max(sum.depth, size.depth);
  sum.fields += size.fields;
  sum.ownFields += size.ownFields;
  sum.introspectionFields += size.introspectionFields;
}
