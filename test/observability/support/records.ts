import type { RequestRecord } from "../../../src/server/pending-request.ts";

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
  usage: {
    restCalls: 3,
    sharedCalls: 1,
    retries: 0,
    queuedMs: 500.128,
    rowsListed: 100,
    keysRequested: 10,
    keysFetched: 5,
  },
  problems: [],
};

/** A request of which everything is known, and that failed in every way at once. */
export const eventful: RequestRecord = {
  ...answered,
  clientAddress: "192.0.2.7",
  callerKey: "0123456789abcdefghijklmnopq",
  traceId: "0af7651916cd43dd8448eb211c80319c",
  status: 500,
  codes: ["INTERNAL_SERVER_ERROR", "UPSTREAM_UNAVAILABLE"],
  problems: Array.from({ length: 12 }, (_, index) => ({ problem: "unreachable", path: `a${index}` })),
};

/** Answers no request to the graph. */
export const elsewhere: RequestRecord = {
  ...answered,
  path: "/wp-login.php",
  status: 404,
  operation: {},
  codes: ["BAD_REQUEST"],
  usage: null,
};
