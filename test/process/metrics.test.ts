import { expect, test } from "vitest";
import type { Usage } from "../../src/authentik/client.ts";
import { createMetrics } from "../../src/metrics.ts";
import { combineSnapshots, expose } from "../../src/metrics/exposition.ts";
import { createHistogram } from "../../src/metrics/histogram.ts";
import type { RequestRecord } from "../../src/server/gateway.ts";

const usage: Usage = {
  restCalls: 3,
  sharedCalls: 1,
  retries: 0,
  queuedMs: 500,
  rowsListed: 100,
  keysRequested: 10,
  keysFetched: 5,
};

function record(overrides: Partial<RequestRecord> = {}): RequestRecord {
  return {
    requestId: "r",
    method: "POST",
    status: 200,
    operation: {},
    durationMs: 20,
    codes: [],
    shared: false,
    outcome: "answered",
    usage,
    problems: [],
    ...overrides,
  };
}

function metrics() {
  return createMetrics({
    version: '0"1\n',
    authentikState: () => ({ inFlight: 2, queued: 3, limit: 8, breaker: "half-open" }),
    operationsInFlight: () => 4,
    connections: () => 5,
    draining: () => false,
    droppedLogLines: () => 6,
  });
}

test("every line is one that Prometheus' text format allows", () => {
  const { record: count, snapshot } = metrics();
  count(record({ codes: ['A"B\n{}'] }));
  const text = expose(snapshot());
  for (const line of text.trimEnd().split("\n")) {
    expect(line).toMatch(
      /^(# (HELP|TYPE) \w+ .+|[a-z0-9_]+(\{\w+="[^"\\]*"(,\w+="[^"\\]*")*\})? [\d.e+-]+)$/,
    );
  }
  const names = [...text.matchAll(/^# TYPE (\S+) (?:counter|gauge|histogram)$/gm)].map(([, name]) => name);
  expect(new Set(names).size).toBe(names.length);
});

test("a histogram's buckets are cumulative, with bounds included", () => {
  const histogram = createHistogram([1, 10]);
  for (const value of [0.5, 1, 1.5, 10, 11]) histogram.observe(value);
  expect(histogram.series()).toEqual({
    '_bucket{le="1"}': 2,
    '_bucket{le="10"}': 4,
    '_bucket{le="+Inf"}': 5,
    _sum: 24,
    _count: 5,
  });
});

test("operations are counted by outcome, cost and code, and codes cannot grow without bound", () => {
  const { record: count, snapshot } = metrics();
  count(record());
  count(record({ outcome: "client-left", status: 499, usage: null }));
  count(record({ status: 503, codes: ["OVERLOADED"], usage: null }));
  for (let index = 0; index < 500; index += 1) count(record({ codes: [`CODE_${index}`] }));
  const { operations, errors, restCalls, queuedSeconds, responses } = snapshot();
  expect(operations).toEqual({ '{outcome="ok"}': 1, '{outcome="error"}': 501, '{outcome="client-left"}': 1 });
  expect(responses).toEqual({ '{status="200"}': 501, '{status="499"}': 1, '{status="503"}': 1 });
  expect(restCalls).toEqual({ "": 1503 });
  expect(queuedSeconds).toEqual({ "": 250.5 });
  expect(Object.keys(errors ?? {}).length).toBeLessThan(70);
});

test("the numbers of several processes are summed up, the worst delay is the largest", () => {
  const one = { restCalls: { "": 2 }, errors: { '{code="A"}': 1 }, eventLoopDelay: { "": 0.5 } };
  const two = { restCalls: { "": 3 }, errors: { '{code="B"}': 1 }, eventLoopDelay: { "": 0.1 } };
  expect(combineSnapshots([one, two, {}])).toEqual({
    restCalls: { "": 5 },
    errors: { '{code="A"}': 1, '{code="B"}': 1 },
    eventLoopDelay: { "": 0.5 },
  });
});
