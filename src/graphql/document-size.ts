import {
  type ASTNode,
  BREAK,
  type DocumentNode,
  type FragmentDefinitionNode,
  Kind,
  type SelectionSetNode,
  visit,
} from "graphql";

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
  // Kinds that can contain their own kind without end; recursive code downstream needs them bounded.
  const nested = {
    enter(node: ASTNode) {
      nesting += 1;
      counts.nesting = Math.max(counts.nesting, nesting);
      if (node.kind === Kind.LIST) counts.listItems += node.values.length;
      return nesting > maxNesting ? BREAK : undefined;
    },
    leave: () => void (nesting -= 1),
  };
  visit(document, {
    SelectionSet: nested,
    ListValue: nested,
    ObjectValue: nested,
    ListType: nested,
    OperationDefinition: () => void counts.operations++,
    FragmentDefinition: () => void counts.fragments++,
    Directive: () => void counts.directives++,
    Field({ alias }) {
      if (alias === undefined) return;
      counts.aliases++;
      counts.aliasLength = Math.max(counts.aliasLength, alias.value.length);
    },
  });
  return counts;
}

/** What a selection set amounts to once every fragment is followed. */
type Size = typeof NOTHING;

const NOTHING = {
  /** Fields inside one another, at the deepest. */
  depth: 0,
  fields: 0,
  aliases: 0,
  /** Fields that have fields of their own: each may be a lookup. */
  objects: 0,
  /** Fields of the set itself, through fragments but not through fields. */
  ownFields: 0,
  /** Fields with those of an introspection's list as often as the list has items. */
  listedFields: 0,
  /** Fields that the answer has about the schema, by estimate. */
  introspectionFields: 0,
};

const INTROSPECTION: ReadonlySet<string> = new Set(["__schema", "__type", "_service"]);

/**
 * How many items the lists of an introspection have in this graph on average, and how often there is an inner type. The
 * SDL is one long text, which takes as long as so many fields.
 */
const ITEMS: Readonly<Record<string, number>> = {
  types: 40,
  fields: 6,
  args: 0.5,
  inputFields: 0.5,
  interfaces: 0.5,
  possibleTypes: 0.5,
  ofType: 0.5,
  directives: 15,
  locations: 2,
  sdl: 100,
};

/** The fragments of a document by their names. */
export function fragmentsOf({ definitions }: DocumentNode): ReadonlyMap<string, FragmentDefinitionNode> {
  const fragments = definitions.filter((node) => node.kind === Kind.FRAGMENT_DEFINITION);
  return new Map(fragments.map((node) => [node.name.value, node]));
}

/**
 * The size of all operations together; each fragment is measured once, hence linear time even where its expansion is
 * exponential. Recursion is as deep as the nesting and the chain of fragments: bound both first.
 * A fragment inside itself adds nothing there, and unknown fragments add nothing.
 */
export function expandedSize(
  document: DocumentNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
): Size {
  const { ofFragment, ofSelections } = createSizer((name) => fragments.get(name));
  const total = { ...NOTHING };
  for (const node of document.definitions)
    if (node.kind === Kind.OPERATION_DEFINITION) add(total, ofSelections(node.selectionSet));
  for (const name of fragments.keys()) total.depth = Math.max(total.depth, ofFragment(name).depth); // Validation visits unused ones too.
  return total;
}

/** Measures selection sets; each fragment once. */
export function createSizer(fragmentOf: (name: string) => FragmentDefinitionNode | undefined) {
  const measured = new Map<string, Size>();

  function ofFragment(name: string): Size {
    const known = measured.get(name);
    if (known !== undefined) return known;
    const fragment = fragmentOf(name);
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
        const { selectionSet } = selection;
        const below = selectionSet === undefined ? NOTHING : ofSelections(selectionSet);
        const { value: name } = selection.name;
        const listedFields = (1 + below.listedFields) * (ITEMS[name] ?? 1);
        add(sum, {
          depth: below.depth + 1,
          fields: below.fields + 1,
          aliases: below.aliases + (selection.alias === undefined ? 0 : 1),
          objects: below.objects + (selectionSet === undefined ? 0 : 1),
          ownFields: 1,
          listedFields,
          introspectionFields: INTROSPECTION.has(name) ? listedFields : below.introspectionFields,
        });
      }
    }
    return sum;
  }

  return { ofFragment, ofSelections };
}

/** Numbers may grow to Infinity for exponential documents, which compares as it should. */
function add(sum: Size, size: Size): void {
  sum.depth = Math.max(sum.depth, size.depth);
  sum.fields += size.fields;
  sum.aliases += size.aliases;
  sum.objects += size.objects;
  sum.ownFields += size.ownFields;
  sum.listedFields += size.listedFields;
  sum.introspectionFields += size.introspectionFields;
}
