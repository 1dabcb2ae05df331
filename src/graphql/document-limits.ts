import type { DocumentNode } from "graphql";
import { countNodes, expandedSize, fragmentsOf } from "./document-size.ts";
import { overlapOf } from "./document-overlap.ts";

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

  const overlap = overlapOf(document, { fragments, maxVisits: limits.maxFields });
  return (
    above("fields", overlap.visits, limits.maxFields) ??
    above("aliasesOfOneField", overlap.aliasesOfOneField, limits.maxAliasesOfOneField) ??
    above("overlap", overlap.pairs, limits.maxOverlappingFields)
  );
}

function above(limit: LimitName, actual: number, max: number): Excess | null {
  return actual > max ? { limit, max, actual } : null;
}
