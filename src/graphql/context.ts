import type { AuthentikClient } from "../authentik/client.ts";

/** How much one operation may ask of the graph. */
export interface GraphLimits {
  /** Representations that all `_entities` fields of the operation may have together. */
  maxRepresentations: number;
  /** Rows that one page of a list may have. */
  maxPageSize: number;
  /** Fields that all lists of the answer may have together. */
  maxAnswerFields: number;
  /** Errors of fields below the root that are told one by one. */
  maxErrors: number;
  /** Rows of a list that may be looked through for what authentik cannot filter by. */
  maxScannedRows: number;
}

/** What every resolver gets: one caller's operation. */
export interface GraphContext extends GraphLimits {
  /** The REST API as this caller sees it. */
  authentik: AuthentikClient;
}
