import { readFileSync } from "node:fs";
import { beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { patience } from "./patience.ts";
import { createGate, startFakeAuthentik } from "../support/fake-authentik.ts";
import { ask, buildCli, type Cli, startCli } from "./cli.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
beforeAll(buildCli);

async function startWorkers(env: Record<string, string> = {}) {
  const gate = createGate();
  const authentik = await startFakeAuthentik({
    answer: async ({ headers, path }, _response, fallback) => {
      const waits =
        path.includes("/plex/1") && headers.some(([name]) => name.toLowerCase() === "authorization");
      if (waits) await gate.opened;
      fallback();
    },
  });
  onTestFinished(() => authentik.close());
  const cli = startCli(["--workers", "2", "--port", "0"], { AUTHENTIK_URL: authentik.url.href, ...env });
  const url = await cli.url();
  await expect.poll(() => workersOf(cli).length, patience).toBe(2);
  await expect.poll(async () => (await metricsOf(url)).get("build_info"), patience).toBe(2);
  return { cli, authentik, gate, url };
}

/** Process ids of the workers. */
function workersOf({ pid }: Cli): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8")
    .trim()
    .split(" ")
    .filter(Boolean)
    .map(Number);
}

/** A fresh connection each time, so that the workers take turns. */
function once(url: string, id: number): ReturnType<typeof ask> {
  return ask(url, `{ plexConnection(id: ${id}) { pk } }`, {
    authorization: "Bearer token-of-administrator",
    connection: "close",
  });
}

async function metricsOf(url: string): Promise<Map<string, number>> {
  const text = await (
    await fetch(url.replace("/graphql", "/metrics"), { headers: { connection: "close" } })
  ).text();
  return new Map(
    text
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"))
      .map((line) => [line.replace(/^authentik_graphql_(\w+).*$/, "$1"), Number(line.split(" ").at(-1))]),
  );
}

test("two workers share one free port, and any of them tells the numbers of both", async () => {
  const { cli, url } = await startWorkers();
  for (let id = 20; id < 30; id += 1)
    expect((await once(url, id)).body).toEqual({ data: { plexConnection: { pk: id } } });
  for (let scrape = 0; scrape < 4; scrape += 1) {
    expect(Object.fromEntries(await metricsOf(url))).toMatchObject({
      operation_duration_seconds_count: 10,
      worker_restarts_total: 0,
    });
  }
  await expect.poll(() => cli.output().match(/"msg":"request"/g)?.length, patience).toBe(10);
  expect(cli.output()).toMatch(/"worker":1,"msg":"request"/);
  expect(cli.output()).toMatch(/"worker":2,"msg":"request"/);
});

test("SIGTERM drains all of them: nothing in flight is lost, exit code 0", async () => {
  const { cli, authentik, gate, url } = await startWorkers();
  const answers = Array.from({ length: 8 }, (_, index) => once(url, 10 + index));
  await expect.poll(() => authentik.inFlight(), patience).toBe(8);
  cli.kill("SIGTERM");
  await expect
    .poll(
      async () =>
        (await fetch(url.replace("/graphql", "/readyz"), { headers: { connection: "close" } })).status,
      patience,
    )
    .toBe(503);
  gate.open();
  for (const [index, answer] of (await Promise.all(answers)).entries()) {
    expect(answer.body).toEqual({ data: { plexConnection: { pk: 10 + index } } });
  }
  expect(await cli.exited).toBe(0);
  expect(cli.output().match(/nothing was lost/g)).toHaveLength(2);
});

test("Ctrl-C reaches all processes of a terminal and is still one wish", async () => {
  const { cli, authentik, gate, url } = await startWorkers();
  const answers = [once(url, 10), once(url, 11)];
  await expect.poll(() => authentik.inFlight(), patience).toBe(2);
  for (const pid of [cli.pid, ...workersOf(cli)]) process.kill(pid, "SIGINT");
  await cli.printed(/SIGINT: /);
  gate.open();
  expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200]);
  expect(await cli.exited).toBe(0);
});

test("a worker that dies is started again while the other serves", async () => {
  const { cli, url } = await startWorkers();
  const [victim = 0] = workersOf(cli);
  process.kill(victim, "SIGKILL");
  await cli.printed(/ended by itself: starting it again/);
  for (let id = 20; id < 24; id += 1) expect((await once(url, id)).status).toBe(200);
  await expect.poll(() => workersOf(cli).length, patience).toBe(2);
  expect(workersOf(cli)).not.toContain(victim);
  await expect.poll(async () => (await metricsOf(url)).get("build_info"), patience).toBe(2);
  expect((await metricsOf(url)).get("worker_restarts_total")).toBe(1);
  cli.kill("SIGTERM");
  expect(await cli.exited).toBe(0);
});

test("workers end by themselves when their primary is gone", async () => {
  const { cli } = await startWorkers();
  const workers = workersOf(cli);
  cli.kill("SIGKILL");
  await cli.exited;
  await expect.poll(() => workers.filter(isAlive), patience).toEqual([]);
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test("one sandbox stands in for all workers", async () => {
  const cli = startCli(["--workers", "2", "--port", "0"]);
  const url = await cli.url();
  const answers = await Promise.all([once(url, 5), once(url, 5), once(url, 5)]);
  for (const { body } of answers) expect(body).toEqual({ data: { plexConnection: { pk: 5 } } });
  expect(cli.stdout().match(/stands in for authentik/g)).toHaveLength(1);
  cli.kill("SIGINT");
  expect(await cli.exited).toBe(0);
});
