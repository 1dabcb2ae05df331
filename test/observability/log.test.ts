import { execFileSync } from "node:child_process";
import { closeSync, constants, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pino } from "pino";
import { beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { createLog, createRequestLog, severityOf } from "../../src/observability/log.ts";
import { buildCli, startBefore } from "../process/cli.ts";
import { ask } from "../support/ask.ts";
import { sendPage } from "../support/fake-authentik.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { answered } from "./support/records.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
beforeAll(buildCli);

const INFO = "unauthenticated forbidden not-found invalid-input too-many-calls cancelled".split(" ");
const WARN =
  "unreachable starting timeout overloaded rate-limited rejected redirected upstream-failure malformed-response";

describe("the severity of a request", () => {
  test.each([
    ["info", "was answered", [], []],
    ["info", "was without a credential", ["UNAUTHENTICATED"], []],
    ...INFO.map((problem) => ["info", `failed as ${problem}`, [], [problem]] as const),
    ...WARN.split(" ").map((problem) => ["warn", `failed as ${problem}`, [], [problem]] as const),
    ["warn", "failed for the caller and for the operator", [], ["unauthenticated", "timeout"]],
    ["error", "the gateway itself failed", ["INTERNAL_SERVER_ERROR"], []],
  ] as const)("is %s for one that %s", (level, _what, codes, problems) => {
    const record = { ...answered, codes, problems: problems.map((problem) => ({ problem })) };
    expect(severityOf(record)).toBe(level);
  });
});

test("the line of a request is one line of JSON and has an end, whatever its texts hold", () => {
  const lines: string[] = [];
  const log = pino({}, { write: (line) => lines.push(line) });
  const logRequest = createRequestLog(log, {
    authentikState: () => ({ inFlight: 1, queued: 2, limit: 8, breaker: "closed" }),
  });
  const hostile = 'a"}\n{"level":"fatal","x":"\u2028\u0000';
  for (const text of [hostile, "x".repeat(900_000)]) {
    const texts = {
      requestId: text,
      method: text,
      path: text,
      clientAddress: text,
      operation: { name: text },
    };
    logRequest({ ...answered, ...texts, problems: [{ problem: "rejected", detail: text, error: text }] });
  }
  const [cut, cutDetail, cutStack] = [128, 512, 4096].map((length) => `${"x".repeat(length)}…`);
  expect(lines.map((line): unknown => JSON.parse(line))).toMatchObject([
    { requestId: hostile, path: hostile, operationName: hostile, problems: [{ detail: hostile }] },
    { requestId: cut, method: cut, path: cut, client: cut, operationName: cut },
  ]);
  expect(lines[1]).toContain(
    `"problems":[{"problem":"rejected","detail":"${cutDetail}","error":"${cutStack}"}]`,
  );
});

describe("the log", () => {
  test.each([
    ["warn", ["warn"]],
    ["silent", []],
  ])("with LOG_LEVEL=%s leaves out what is less", async (LOG_LEVEL, levels) => {
    const { cli, authentik, url } = await startBefore({}, [], { LOG_LEVEL });
    await ask(new URL(url), "{ plexConnection(id: 5) { pk } }");
    authentik.answer((_request, response) => sendPage(response, 500, "Server Error"));
    await ask(new URL(url), "{ plexConnection(id: 5) { pk } }");
    cli.kill("SIGINT");
    await cli.exited;
    const [first, ...lines] = cli.stdout().trimEnd().split("\n");
    expect(first).toBe(`GraphQL: ${url}`);
    expect(lines.map((line) => (JSON.parse(line) as { level: unknown }).level)).toEqual(levels);
  });

  test("is one sentence for each request where people read it", async () => {
    const { cli, authentik, url } = await startBefore({}, ["--log-format=pretty"]);
    await ask(new URL(url), "query Five { plexConnection(id: 5) { pk } }");
    await cli.printed(/INFO.*: query Five 200 in [\d.]+ ms, 1 REST call$/m);
    await ask(new URL(url), "{ plexConnection(id: abc) { pk } }");
    await cli.printed(
      /INFO: POST \/graphql 200 in [\d.]+ ms, GRAPHQL_VALIDATION_FAILED \(request [\w-]+\)$/m,
    );
    await fetch(new URL("/wp-login.php", url));
    await cli.printed(/INFO: GET \/wp-login.php 404 in [\d.]+ ms, BAD_REQUEST \(request [\w-]+\)$/m);
    authentik.answer((_request, response) => sendPage(response, 404, "Not Found"));
    await ask(new URL(url), "{ plexConnection(id: 7) { pk } }");
    await cli.printed(/WARN: query 200 in .*UPSTREAM_INVALID_RESPONSE \(request [\w-]+\) \{"problems":\[/m);
    authentik.answer(() => {});
    const leaving = ask(new URL(url), "query Six { plexConnection(id: 6) { pk } }", {
      signal: AbortSignal.timeout(200),
    });
    await expect(leaving).rejects.toThrow("timeout");
    await cli.printed(/INFO: query Six 499 in [\d.]+ ms, 1 REST call, the client left$/m);
  });

  test("drops whole lines, counted, when nobody reads, and goes on when somebody does", async () => {
    const fifo = join(temporaryFolder(), "fifo");
    execFileSync("mkfifo", [fifo]);
    // Opened for both ends, so that it neither waits for a reader nor loses it.
    const fd = openSync(fifo, constants.O_RDWR);
    const reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
    onTestFinished(() => [fd, reader].forEach(closeSync));
    const processLog = await createLog({ level: "info", format: "json", isTerminal: false, fd });
    const total = 20_000;
    for (let index = 0; index < total; index += 1)
      processLog.log.info({ index, text: "x".repeat(1000) }, "line");
    const dropped = processLog.droppedLines();
    expect(dropped).toBeGreaterThan(total / 2);

    const read: string[] = [];
    const chunk = Buffer.alloc(65_536);
    while (!read.at(-1)?.endsWith('last"}\n')) {
      try {
        read.push(chunk.toString("utf8", 0, readSync(reader, chunk)));
        if (processLog.droppedLines() === dropped && read.length === 1) processLog.log.info({}, "last");
      } catch {
        // EAGAIN: what waits is written soon.
        await sleep(1);
      }
    }
    const lines = read.join("").trimEnd().split("\n");
    for (const line of lines) expect(JSON.parse(line)).toHaveProperty("msg");
    expect(lines.length + processLog.droppedLines()).toBe(total + 1);
  });
});
