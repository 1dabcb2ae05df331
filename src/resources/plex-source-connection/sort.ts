import type { Order, SortKey } from "../../authentik/lookup/list-window.ts";
import type { PlexSourceConnection } from "./decode.ts";

/** How lists of connections may be sorted. */
export type PlexConnectionSort = keyof typeof SORTS;

/** How authentik sorts connections, and how what it sends can be compared. */
export interface Sort extends Order<PlexSourceConnection> {
  /** As authentik takes it; fields that a release does not have are skipped there. */
  ordering: string;
  /** The order of rows that are at hand, where the database's cannot be known. */
  local?: (row: PlexSourceConnection) => SortKey;
}

const SORTS = {
  ID_ASC: { ordering: "pk", direction: 1, key: ({ pk }) => [pk] },
  ID_DESC: { ordering: "-pk", direction: -1, key: ({ pk }) => [pk] },
  USER_ASC: { ordering: "user,pk", direction: 1, key: ({ user, pk }) => [user, pk] },
  IDENTIFIER_ASC: {
    ordering: "identifier,pk",
    direction: 1,
    key: null,
    local: ({ identifier, pk }) => [identifier, pk],
  },
  LAST_UPDATED_DESC: {
    ordering: "-last_updated,-created,-pk",
    direction: -1,
    key: ({ lastUpdated, created, pk }) => [instant(lastUpdated), instant(created), pk],
  },
} satisfies Record<string, Sort>;

/** Comparable as text: authentik writes UTC with six digits or no fraction at all. */
function instant(dateTime: string | null): string {
  return dateTime?.replace(/Z$/, "") ?? "";
}

/** What stands behind a sort of the graph. */
export function sortOf(sort: PlexConnectionSort): Sort {
  return SORTS[sort];
}
