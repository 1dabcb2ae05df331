import { execFileSync } from "node:child_process";
import { constants, openSync } from "node:fs";
import { join } from "node:path";
import { pino } from "pino";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { createLog, createRequestLog, type RequestRecord, severityOf } from "../../src/observability/log.ts";
import { buildCli, startBefore } from "../process/cli.ts";
import { ask } from "../support/ask.ts";
import { sendPage } from "../support/fake-authentik.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
beforeAll(buildCli);

/** A request that found what it asked for. */
const answered: RequestRecord = {
  requestId: "r-1",
  method: "POST",
  path: "/graphql",
  status: 200,
  durationMs: 20,
  operation: {},
  codes: [],
  shared: false,
  outcome: "answered",
  usage: null,
  problems: [],
};

test.each([
  ["info", "unauthenticated", "what the caller alone can mend"],
  ["warn", "timeout", "trouble of authentik"],
  ["error", "timeout", "a fault of the gateway", "INTERNAL_SERVER_ERROR"],
])("%s is the severity of a request that failed as %s: %s", (level, problem, _why, ...codes) => {
  expect(severityOf({ ...answered, codes, problems: [{ problem }] })).toBe(level);
});

test("the line of a request is one line of JSON and has an end, whatever its texts hold", () => {
  const lines: unknown[] = [];
  const logRequest = createRequestLog(pino({}, { write: (line) => lines.push(JSON.parse(line)) }), {
    authentikState: () => ({ inFlight: 1, queued: 2, limit: 8, breaker: "closed" }),
  });
  const hostile = 'a"}\n{"level":"fatal","x":"\u2028\u0000';
  for (const text of [hostile, "x".repeat(900_000)])
    logRequest({ ...answered, method: text, problems: [{ problem: "rejected", detail: text, error: text }] });
  const [method, detail, error] = [128, 512, 4096].map((length) => `${"x".repeat(length)}…`);
  expect(lines).toMatchObject([
    { method: hostile, problems: [{ detail: hostile }] },
    { method, problems: [{ problem: "rejected", detail, error }] },
  ]);
});

describe("the log", () => {
  test("is one sentence for each request where people read it", async () => {
    const { cli, authentik, url } = await startBefore({}, ["--log-format=pretty", "--no-metrics"]);
    await ask(url, "query Five { plexConnection(id: 5) { pk } }");
    await cli.printed(/INFO.*: query Five 200 in [\d.]+ ms, 1 REST call$/m);
    await fetch(new URL("/metrics", url));
    await cli.printed(/INFO: GET \/metrics 404 in [\d.]+ ms, BAD_REQUEST \(request [\w-]+\)$/m);
    authentik.answer((_request, response) => sendPage(response, 404, "Not Found"));
    await ask(url, "{ plexConnection(id: 7) { pk } }");
    await cli.printed(/WARN: query 200 in .*UPSTREAM_INVALID_RESPONSE \(request [\w-]+\) \{"problems":\[/m);
    authentik.answer(() => {});
    const arrived = authentik.arrived(authentik.requests.length + 1);
    const leaving = new AbortController();
    const left = ask(url, "query Six { plexConnection(id: 6) { pk } }", { signal: leaving.signal });
    await arrived;
    leaving.abort();
    await expect(left).rejects.toThrow("aborted");
    await cli.printed(/INFO: query Six 499 in [\d.]+ ms, 1 REST call, the client left$/m);
  });

  test("drops lines, counted, instead of growing when nobody reads", async () => {
    const fifo = join(temporaryFolder(), "fifo");
    execFileSync("mkfifo", [fifo]);
    // For both ends, so that it does not wait for a reader. It stays open: what is not dropped waits to be written.
    const fd = openSync(fifo, constants.O_RDWR);
    const { log, droppedLines } = await createLog({ level: "info", format: "json", isTerminal: false, fd });
    for (let index = 0; index < 20_000; index += 1) log.info({ text: "x".repeat(1000) }, "line");
    expect(droppedLines()).toBeGreaterThan(10_000);
  });
});
