import type { Directory, Row, User } from "./directory.ts";
import type { Release } from "./releases.ts";
import { HttpError } from "./rest-response.ts";

/** One request to a route of the API, after its credentials were read. */
export interface ApiRequest {
  caller: User;
  /** The part of the path that names one object; empty for lists. */
  key: string;
  query: URLSearchParams;
  directory: Directory;
  release: Release;
}

/** The value of a query parameter, undefined where it does not filter. Of a repeated one the last counts. */
export function parameter({ query }: ApiRequest, name: string): string | undefined {
  return query.getAll(name).at(-1)?.trim() || undefined;
}

/** Whether a row matches `?search=`: each term is part of one of its texts, in upper or lower case. */
export function createSearch(request: ApiRequest): (texts: readonly string[]) => boolean {
  const terms = (parameter(request, "search") ?? "").toLowerCase().split(/[\s,]+/);
  return (texts) => terms.every((term) => texts.some((text) => text.toLowerCase().includes(term)));
}

/** Which of two values comes first: numbers by size, all else as text; of an object its key counts. */
export function compare(left: unknown, right: unknown): number {
  if (typeof left === "number" && typeof right === "number") return left - right;
  const [first, second] = [textOf(left), textOf(right)];
  return first < second ? -1 : Number(first > second);
}

function textOf(value: unknown): string {
  return String(typeof value === "object" && value !== null && "pk" in value ? value.pk : value);
}

/**
 * Sorts by `?ordering=`: fields with commas between them, a minus for descending, equal rows by their keys. What no
 * row has is ignored; where nothing is left, all stay as they were.
 */
function sortBodies(bodies: readonly Row[], ordering: string): readonly Row[] {
  const asked = ordering
    .split(",")
    .filter((field) => Object.hasOwn(bodies[0] ?? {}, field.replace(/^-/, "")));
  if (asked.length === 0) return bodies;
  return bodies.toSorted((left, right) => {
    for (const field of [...asked, "pk"]) {
      const name = field.replace(/^-/, "");
      const order = compare(left[name], right[name]);
      if (order !== 0) return field === name ? order : -order;
    }
    return 0;
  });
}

function pageSize(request: ApiRequest): number {
  const asked = Number(/^\d+$/.exec(parameter(request, "page_size") ?? "")?.[0] ?? 0);
  if (!request.release.since("2025.12")) return asked || 100;
  return Math.min(asked || 20, 100);
}

/**
 * One page of a list, with authentik's pagination: `next` and `previous` are page numbers, 0 where there is none.
 * @param found what the caller may see and the filters leave, in the usual order
 * @throws {HttpError} 404 for a page that is not there
 */
export function listPage<T>(request: ApiRequest, found: readonly T[], write: (row: T) => Row): Row {
  // It sorts by what it writes, as a field may be sorted by exactly if it is written.
  const sorted = sortBodies(found.map(write), parameter(request, "ordering") ?? "");
  const size = pageSize(request);
  const totalPages = Math.max(1, Math.ceil(sorted.length / size));
  const asked = request.query.getAll("page").at(-1) ?? "1";
  const page = /^\d+$/.test(asked) ? Number(asked) : 0;
  if (page < 1 || page > totalPages) throw new HttpError(404, { detail: "Invalid page." });
  const start = (page - 1) * size;
  return {
    pagination: {
      next: page < totalPages ? page + 1 : 0,
      previous: page - 1,
      count: sorted.length,
      current: page,
      total_pages: totalPages,
      start_index: sorted.length === 0 ? 0 : start + 1,
      end_index: Math.min(start + size, sorted.length),
    },
    results: sorted.slice(start, start + size),
    ...(request.release.since("2025.8") && { autocomplete: {} }),
  };
}
