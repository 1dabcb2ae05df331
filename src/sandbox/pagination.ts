import type { Answer } from "./answer.ts";
import { jsonAnswer, refuse } from "./answer.ts";
import { toPythonInt } from "./python-int.ts";
import type { Query } from "./query.ts";
import type { ReleaseTraits } from "./releases.ts";

function pageSizeOf(query: Query, { pageSize }: ReleaseTraits): number {
  const asked = toPythonInt(query.get("page_size") ?? "");
  const size = asked === null || asked <= 0n ? pageSize.default : Number(asked);
  return pageSize.max === null ? size : Math.min(size, pageSize.max);
}

function pageOf(query: Query, totalPages: number, { restFramework }: ReleaseTraits): number {
  const asked = query.get("page") ?? "1";
  if (asked === "last") return totalPages;
  const page = asked === "" && restFramework === "3.16" ? 1n : toPythonInt(asked);
  if (page === null || page < 1n || page > BigInt(totalPages)) throw refuse(404, "Invalid page.");
  return Number(page);
}

/**
 * One page of rows, with authentik's pagination: `next` and `previous` are page numbers, 0 where there is none.
 * @throws {Refusal} 404 for a page that is not there
 */
export function listAnswer<Row>(
  rows: readonly Row[],
  { query, traits, write }: { query: Query; traits: ReleaseTraits; write: (row: Row) => unknown },
): Answer {
  const size = pageSizeOf(query, traits);
  const totalPages = Math.max(1, Math.ceil(rows.length / size));
  const page = pageOf(query, totalPages, traits);
  const start = (page - 1) * size;
  const shown = rows.slice(start, start + size);
  return jsonAnswer(
    {
      pagination: {
        next: page < totalPages ? page + 1 : 0,
        previous: page - 1,
        count: rows.length,
        current: page,
        total_pages: totalPages,
        start_index: rows.length === 0 ? 0 : start + 1,
        end_index: Math.min(start + size, rows.length),
      },
      results: shown.map((row) => write(row)),
      ...(traits.autocomplete && { autocomplete: {} }),
    },
    { rows: shown.length },
  );
}
