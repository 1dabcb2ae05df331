import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { LogLevel } from "../../src/config/load.ts";
import { redact } from "../../src/log/redact.ts";
import { createRequestLog } from "../../src/log/request-line.ts";
import { createLog } from "../../src/logger.ts";
import type { RequestRecord } from "../../src/server/gateway.ts";

const request: RequestRecord = {
  requestId: "r-1",
  method: "POST",
  status: 200,
  operation: {},
  durationMs: 1.23456,
  codes: [],
  shared: false,
  outcome: "answered",
  usage: null,
  problems: [],
};

function linesOf(records: readonly RequestRecord[], level: LogLevel = "info"): Record<string, unknown>[] {
  const lines: string[] = [];
  const log = createRequestLog({
    level,
    base: { worker: 2 },
    authentikState: () => ({ inFlight: 1, queued: 2, limit: 8, breaker: "closed" }),
    writeLine: (line) => lines.push(line),
  });
  for (const record of records) log(record);
  return lines.map((line) => {
    expect(line.match(/\n/g)).toHaveLength(1);
    const parsed: Record<string, unknown> = JSON.parse(line);
    return parsed;
  });
}

test("a request's line stays one line of JSON whatever its texts hold", () => {
  const hostile = 'a"}\n{"level":"fatal","x":"\u2028\u0000';
  const [line] = linesOf([
    { ...request, requestId: hostile, method: hostile, operation: { name: hostile }, codes: [hostile] },
  ]);
  expect(line).toMatchObject({
    level: "info",
    worker: 2,
    msg: "request",
    requestId: hostile,
    method: hostile,
    operationName: hostile,
    codes: [hostile],
    durationMs: 1.23,
    limit: 8,
    restCallsInFlight: 1,
    queue: 2,
  });
});

test("the level is that of the worst in it, and decides whether it is written", () => {
  const problem = { ...request, problems: [{ kind: "unreachable" }] };
  const internal = { ...request, codes: ["INTERNAL_SERVER_ERROR"] };
  const all = [request, problem, internal];
  expect(linesOf(all).map(({ level }) => level)).toEqual(["info", "warn", "error"]);
  expect(linesOf(all, "warn").map(({ level }) => level)).toEqual(["warn", "error"]);
  expect(linesOf(all, "silent")).toEqual([]);
});

test.each([
  { authorization: "Bearer canary" },
  { headers: { Authorization: "canary", "set-cookie": ["canary=1", "canary=2"] } },
  { deep: [{ plex_token: 'can"ary' }] },
  { accessToken: "canary", client_secret: "canary", password: "canary" },
  { message: "sent Bearer canary to authentik" },
  { text: 'Authorization: Basic "canary"' },
])("credentials are taken out of %j", (object) => {
  const line = redact(JSON.stringify(object));
  expect(() => JSON.parse(line) as unknown).not.toThrow();
  expect(line.replaceAll('\\"', "")).not.toContain("canary=");
  expect(line).toContain("[redacted]");
  expect(line).not.toMatch(/"[^"]*canary[^"]*"\s*[,}\]]/);
});

test("ordinary texts are left as they are", () => {
  const line = JSON.stringify({
    tokens: 15_000,
    message: "the token was refused",
    key: "value",
    cookies: true,
  });
  expect(redact(line)).toBe(line);
});

test("flush writes everything out before it returns, redacted", async () => {
  const folder = mkdtempSync(join(tmpdir(), "log-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "log");
  const fd = openSync(file, "w");
  const { log, flush } = await createLog({
    level: "info",
    format: "json",
    isTerminal: false,
    base: {},
    shared: true,
    fd,
  });
  for (let index = 0; index < 2000; index += 1) log.info({ index, token: "canary" }, "line");
  log.debug("left out");
  flush();
  const lines = readFileSync(file, "utf8").trimEnd().split("\n");
  closeSync(fd);
  expect(lines).toHaveLength(2000);
  expect(JSON.parse(lines[1999] ?? "")).toMatchObject({ level: "info", index: 1999, msg: "line" });
  expect(lines.join("\n")).not.toContain("canary");
});
