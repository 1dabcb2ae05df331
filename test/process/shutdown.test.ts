import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { scrape } from "../observability/support/scrape.ts";
import { ask } from "../support/ask.ts";
import { type AnswerHandler, createGate, startFakeAuthentik } from "../support/fake-authentik.ts";
import { patience } from "../support/patience.ts";
import { postQuery, rawClient } from "../support/raw-client.ts";
import { buildCli, preload, startBefore, startCli, startProcess } from "./cli.ts";

const query = "{ plexConnection(id: 5) { pk } }";
const data = { plexConnection: { pk: 5 } };

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
beforeAll(buildCli);

/** A gateway that answers one operation, whose REST call waits, as do further ones, until the test opens the gate. */
async function startBusy(env: Record<string, string> = {}) {
  const gate = createGate();
  const answer: AnswerHandler = async ({ authorization }, _response, fallback) => {
    // Readiness asks without credentials, and is not to wait.
    if (authorization !== undefined) await gate.opened;
    fallback();
  };
  const started = await startBefore({ answer }, [], env);
  const before = ask(started.url, query).then(
    (reply) => reply.data,
    () => "cut off",
  );
  await expect.poll(() => started.authentik.inFlight(), patience).toBe(1);
  return { gate, before, ...started };
}

test("SIGTERM: not ready at once, still serving for the grace, nothing in flight lost, exit code 0", async () => {
  const { cli, authentik, before, gate, url } = await startBusy({ DRAIN_GRACE_MS: "1500" });
  const readiness = new URL("/readyz", url);
  expect((await fetch(readiness)).status).toBe(200);

  cli.kill("SIGTERM");
  await expect.poll(async () => (await fetch(readiness)).status, patience).toBe(503);
  expect(await (await fetch(readiness)).json()).toEqual({ status: "draining" });
  expect((await fetch(new URL("/healthz", url))).status).toBe(200);
  const during = ask(url, query.replace("5", "6"));
  await expect.poll(() => authentik.inFlight(), patience).toBe(2);
  gate.open();

  expect(await before).toEqual(data);
  expect((await during).data).toEqual({ plexConnection: { pk: 6 } });
  expect((await during).headers.get("connection")).toBe("close");
  expect(await cli.exited).toBe(0);
  expect(cli.output()).toContain("nothing was lost");
});

test("SIGINT, also where npm hands it on once more: no grace, what is in flight is finished, nobody else is let in", async () => {
  const { cli, authentik, before, gate, url } = await startBusy({ DRAIN_GRACE_MS: "60000" });
  const silent = rawClient(Number(url.port));
  const posts = [6, 7, 8].map((id) => postQuery(`{plexConnection(id:${id}){pk}}`));
  const pipelined = rawClient(Number(url.port), posts.join(""));
  await expect.poll(() => authentik.inFlight(), patience).toBe(4);
  const half = rawClient(Number(url.port), "GET /healthz HTTP/1.1\r\nHost:");
  cli.kill("SIGINT");
  cli.kill("SIGINT");
  await cli.printed(/SIGINT: finishing/);
  await expect.poll(() => fetch(url).catch(() => "refused"), patience).toBe("refused");
  gate.open();
  expect(await before).toEqual(data);
  expect((await pipelined.closed).match(/"pk":\d/g)).toEqual(['"pk":6', '"pk":7', '"pk":8']);
  expect(await cli.exited).toBe(0);
  // What sends nothing, or half of something, does not hold the end up.
  await Promise.all([silent.closed, half.closed]);
});

test.each([
  ["what takes longer than DRAIN_TIMEOUT_MS is cut off", { DRAIN_TIMEOUT_MS: "300" }, false, /cut off/],
  ["a second signal ends it at once", {}, true, /SIGINT: /],
])("%s, exit code 1", async (_what, env: Record<string, string>, isAskedAgain, words) => {
  const { cli, before } = await startBusy(env);
  cli.kill("SIGINT");
  await cli.printed(/SIGINT: /);
  const again = setInterval(() => void (isAskedAgain && cli.kill("SIGINT")), 50);
  expect(await cli.exited).toBe(1);
  clearInterval(again);
  expect(await before).toBe("cut off");
  expect(cli.output()).toMatch(words);
});

test("SIGTERM: nobody who leaves the log unread keeps the process from ending", async () => {
  const { cli, url } = await startBefore({}, [], { DRAIN_GRACE_MS: "0" });
  cli.child.stdout.pause();
  // More lines than the system keeps for a reader, whose operations are fewer at once than are answered.
  for (let sent = 0; sent < 1_000; sent += 100)
    await Promise.all(Array.from({ length: 100 }, () => ask(url, "{ __typename }")));
  cli.kill("SIGTERM");
  const isAlive = (): boolean => existsSync(`/proc/${cli.child.pid}`);
  await expect.poll(isAlive, { timeout: 10_000 }).toBe(false);
});

/** Makes the process fail as a bug in it would, when a signal says so. */
const BUGS = preload(`
  const error = () => Object.assign(new Error("the cause"), { headers: { authorization: ["can", "ary"].join("") } });
  process.on("SIGUSR2", () => void Promise.reject(error()));
  process.on("SIGHUP", () => { throw error(); });`);

test("a promise that nobody caught is logged, counted and ends nothing; an exception is logged and ends the process", async () => {
  const { cli, url } = await startBefore({}, [], BUGS);
  cli.kill("SIGUSR2");
  await cli.printed(/"level":"error".*the cause.*a promise failed and nobody noticed/);
  expect((await ask(url, query)).data).toEqual(data);
  expect(await scrape(url)).toMatchObject({ unhandled_rejections_total: 1 });
  cli.kill("SIGHUP");
  expect(await cli.exited).toBe(1);
  expect(cli.output()).toMatch(/"level":"fatal".*the cause.*an exception that nobody caught/);
  expect(cli.output()).not.toContain("canary");
});

test("an exception in the start ends the process as well", async () => {
  const cli = startCli(
    ["--port=0"],
    preload(`process.stdout.write = () => { throw new Error("the cause") }`),
  );
  expect(await cli.exited).toBe(1);
  expect(cli.output()).toMatch(/"level":"fatal".*the cause/);
});

test("a reader of the log that leaves does not end the process", async () => {
  const { cli, url } = await startBefore();
  cli.child.stdout.destroy();
  cli.child.stderr.destroy();
  await Promise.all(Array.from({ length: 50 }, () => ask(url, query)));
  expect((await fetch(new URL("/healthz", url))).status).toBe(200);
  cli.kill("SIGINT");
  expect(await cli.exited).toBe(0);
});

test("a log on a full disk keeps no process from ending", async () => {
  const authentik = await startFakeAuthentik();
  onTestFinished(() => authentik.close());
  const cli = startProcess("sh", ["-c", 'exec "$0" dist/main.js --port=0 >/dev/full', process.execPath], {
    env: { AUTHENTIK_URL: authentik.url.href, DRAIN_GRACE_MS: "0" },
  });
  onTestFinished(cli.stop);
  // It can say nothing, but once it listens it asks whether authentik is there.
  await expect.poll(() => authentik.requests.length, patience).toBe(1);
  cli.kill("SIGTERM");
  expect(await cli.exited).toBe(0);
});

// A process is over when nobody has its output open any more: neither npm nor what it has started.
test.each(["SIGTERM", "SIGINT"] as const)("npm start leaves nothing running after %s", async (signal) => {
  const env = { HOME: process.env["HOME"] ?? "", PORT: "0" };
  const npm = startProcess("npm", ["run", "--silent", "start"], { env, detached: true });
  onTestFinished(() => void spawn("kill", ["-KILL", "--", `-${npm.child.pid}`]));
  expect((await ask(await npm.url(), "{ __typename }")).status).toBe(200);
  npm.kill(signal);
  await npm.exited;
});
