import type { RequestRecord } from "../../../src/observability/log.ts";

/** A request that found what it asked for. */
export const answered: RequestRecord = {
  requestId: "r-1",
  method: "POST",
  path: "/graphql",
  status: 200,
  operation: { name: "Five", type: "query" },
  durationMs: 20,
  codes: [],
  shared: false,
  outcome: "answered",
  usage: null,
  problems: [],
};
