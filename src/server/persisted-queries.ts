import { useAPQ } from "@graphql-yoga/plugin-apq";
import type { Plugin } from "graphql-yoga";
import { LRUCache } from "lru-cache";
import { countNodes, expandedSize, fragmentsOf } from "../graphql/document-size.ts";
import type { Executor } from "../graphql/execute.ts";

/** Aliases, or fields of all items of lists that are written out, of a document that is kept: each may cost a lookup. */
const MAX_NAMES_BY_HASH = 20;

/**
 * Automatic persisted queries, out of the way of operations that have none.
 *
 * A hash is a few hundred bytes, whatever it stands for: a document of a thousand aliases is answered, but not kept, so
 * that whoever wants it pays for it each time. Clients send the document where the hash is not known, as they do anyway.
 * @param options.maxBytes of all documents that are kept
 */
export function usePersistedQueries({ prepare }: Executor, options: { maxBytes: number }): Plugin {
  const queries = new LRUCache<string, string>({
    maxSize: Math.max(1, options.maxBytes),
    sizeCalculation: (query, hash) => query.length + hash.length,
  });
  function keep(hash: string, query: string): void {
    try {
      // A document that passes is not nested deeper than its limit.
      const document = prepare(query);
      const { listItems } = countNodes(document);
      const { aliases, fields } = expandedSize(document, fragmentsOf(document));
      if (Math.max(aliases, listItems * fields) <= MAX_NAMES_BY_HASH) queries.set(hash, query);
    } catch {
      // What is wrong with it is said where it is executed.
    }
  }
  const { onParams } = useAPQ({ store: { get: (hash) => queries.get(hash), set: keep } });
  return {
    onParams: (payload) => (payload.params.extensions?.["persistedQuery"] ? onParams?.(payload) : undefined),
  };
}
