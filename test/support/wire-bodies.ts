import { createDirectory } from "../../src/sandbox/directory.ts";
import { createRelease } from "../../src/sandbox/releases.ts";
import { handleRequest } from "../../src/sandbox/routes.ts";

export type WireObject = Record<string, unknown>;

/** The UUID that {@link sourceBody} has unless told otherwise. */
export const PLEX_SOURCE_PK = "5eed0000-0000-4000-8000-00000000000a";

/** The UUID of the group that the sandbox's people have. */
export const FAMILY_PK = "5eed0000-0000-4000-8000-000000000022";

/** What the sandbox says as 2024.8, which is held to what a real server said, key by key. */
function bodyOf(path: string): WireObject {
  const headersDistinct = { authorization: ["Bearer token-of-administrator"] };
  const authentik = { directory: createDirectory(), release: createRelease("2024.8") };
  const { response } = handleRequest({ url: `/api/v3${path}`, headersDistinct }, authentik);
  return (response.body as { json: WireObject }).json; // these are there
}

const CONNECTION = bodyOf("/sources/user_connections/plex/5/");

/** A source as it is nested in a connection. */
export function sourceBody(overrides: WireObject = {}): WireObject {
  return { ...(CONNECTION["source"] as WireObject), ...overrides }; // an object
}

/** A Plex connection. */
export function connectionBody(pk: number, overrides: WireObject = {}): WireObject {
  return { ...CONNECTION, pk, user: 1000 + pk, identifier: String(70_000_000 + pk), ...overrides };
}

/** One page of a list; `rows` are the rows of this page, `count` those of all pages (default: this is the only page). */
export function listBody(
  rows: readonly unknown[],
  { page = 1, pageSize = 100, count = rows.length } = {},
): WireObject {
  const totalPages = Math.max(1, Math.ceil(count / pageSize));
  return {
    pagination: {
      next: page < totalPages ? page + 1 : 0,
      previous: page - 1,
      count,
      current: page,
      total_pages: totalPages,
      start_index: rows.length === 0 ? 0 : (page - 1) * pageSize + 1,
      end_index: (page - 1) * pageSize + rows.length,
    },
    results: rows,
  };
}
