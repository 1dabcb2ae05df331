import { execFileSync } from "node:child_process";
import { closeSync, constants, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { createLog } from "../../src/observability/log.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { openLogFile } from "./support/log-file.ts";
import { answered, elsewhere, eventful } from "./support/records.ts";

describe("the line of a request", () => {
  test("says what was asked, by whom, how it ended and what it cost", async () => {
    const { logRequest, lines } = await openLogFile();
    logRequest({ ...eventful, problems: [{ problem: "unreachable", status: 502 }] });
    expect(await lines()).toEqual([
      {
        level: "error",
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        msg: "request",
        requestId: "r-1",
        traceId: "0af7651916cd43dd8448eb211c80319c",
        method: "POST",
        path: "/graphql",
        status: 500,
        client: "192.0.2.7",
        caller: "01234567",
        operationName: "Five",
        operationType: "query",
        durationMs: 20,
        outcome: "answered",
        shared: false,
        codes: ["INTERNAL_SERVER_ERROR", "UPSTREAM_UNAVAILABLE"],
        restCalls: 3,
        sharedCalls: 1,
        retries: 0,
        queuedMs: 500.13,
        rowsListed: 100,
        keysRequested: 10,
        keysFetched: 5,
        dedupRatio: 0.5,
        limit: 8,
        restCallsInFlight: 1,
        queue: 2,
        problems: [{ problem: "unreachable", status: 502 }],
      },
    ]);
  });

  test("stays one line of JSON whatever its texts hold", async () => {
    const { logRequest, lines } = await openLogFile();
    const hostile = 'a"}\n{"level":"fatal","x":"\u2028\u0000';
    const operation = { name: hostile };
    logRequest({
      ...answered,
      requestId: hostile,
      method: hostile,
      path: hostile,
      operation,
      codes: [hostile],
    });
    expect(await lines()).toEqual([
      expect.objectContaining({ requestId: hostile, method: hostile, path: hostile, operationName: hostile }),
    ]);
  });

  test("has an end, however long a name, a path or a failure is", async () => {
    const { logRequest, lines, text } = await openLogFile();
    const long = "x".repeat(900_000);
    const problem = { problem: "rejected", detail: long, path: long, error: long };
    logRequest({
      ...answered,
      requestId: long,
      method: long,
      path: long,
      clientAddress: long,
      operation: { name: long },
      problems: Array.from({ length: 1000 }, () => problem),
    });
    expect((await text()).length).toBeLessThan(60_000);
    const cut = `${"x".repeat(128)}…`;
    const [line] = await lines();
    expect(line).toMatchObject({ operationName: cut, requestId: cut, path: cut, method: cut, client: cut });
    expect(line).toMatchObject({ problemsOmitted: 990 });
  });
});

const failedAs = (level: "info" | "warn", problems: string) =>
  problems
    .split(" ")
    .map(
      (problem) => [level, `that failed as ${problem}`, { ...answered, problems: [{ problem }] }] as const,
    );

describe("the severity of a request", () => {
  test.each([
    ["info", "that was answered", answered],
    ["info", "to a path where nothing is", elsewhere],
    ["info", "without a credential", { ...answered, codes: ["UNAUTHENTICATED"] }],
    ...failedAs("info", "unauthenticated forbidden not-found invalid-input too-many-calls cancelled"),
    ...failedAs("warn", "unreachable starting timeout overloaded rate-limited rejected redirected"),
    ...failedAs("warn", "upstream-failure malformed-response"),
    [
      "warn",
      "that failed for the caller and for the operator",
      { ...answered, problems: [{ problem: "unauthenticated" }, { problem: "timeout" }] },
    ],
    ["error", "that the gateway itself failed", { ...answered, codes: ["INTERNAL_SERVER_ERROR"] }],
  ] as const)("is %s for one %s", async (level, _title, record) => {
    const { logRequest, lines } = await openLogFile();
    logRequest(record);
    expect(await lines()).toEqual([expect.objectContaining({ level })]);
  });

  test("decides whether it is written", async () => {
    const quiet = await openLogFile({ level: "warn" });
    quiet.logRequest(answered);
    quiet.logRequest(eventful);
    expect(await quiet.lines()).toHaveLength(1);
    const silent = await openLogFile({ level: "silent" });
    silent.logRequest(eventful);
    expect(await silent.text()).toBe("");
  });
});

describe("the log", () => {
  test("is written out by flush, in order", async () => {
    const { log, lines } = await openLogFile();
    for (let index = 0; index < 2000; index += 1) log.info({ index }, "line");
    log.debug("left out");
    expect(await lines()).toHaveLength(2000);
    expect((await lines())[1999]).toMatchObject({ level: "info", index: 1999, msg: "line" });
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

  test("is one sentence for each request where people read it", async () => {
    const { log, logRequest, text } = await openLogFile({ format: "pretty" });
    log.info({ port: 1 }, "listening");
    logRequest(answered);
    logRequest({ ...answered, outcome: "client-left", status: 499, codes: ["UPSTREAM_TIMEOUT"] });
    logRequest(elsewhere);
    const lines = (await text()).trimEnd().split("\n");
    expect(lines).toEqual([
      expect.stringMatching(/INFO: listening \{"port":1\}$/),
      expect.stringMatching(/INFO: query Five 200 in 20 ms, 3 REST calls$/),
      expect.stringMatching(
        /INFO: query Five 499 in 20 ms, 3 REST calls, the client left, UPSTREAM_TIMEOUT \(request r-1\)$/,
      ),
      expect.stringMatching(/INFO: POST \/wp-login.php 404 in 20 ms, BAD_REQUEST \(request r-1\)$/),
    ]);
  });
});
