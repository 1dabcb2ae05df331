/** Child processes of the benchmark: started on a core of their own where the machine can, watched, stopped for sure. */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, openSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const CLOCK_TICKS_PER_SECOND = 100;

/** Which cores serve and which load, or null where nothing can be pinned. */
export const pinning =
  availableParallelism() >= 2 && spawnSync("taskset", ["--version"]).status === 0
    ? { server: "0", load: "1" }
    : null;

/** @param {string} command */
export function onPath(command) {
  return spawnSync("sh", ["-c", `command -v ${command}`]).status === 0;
}

/** Moves this process to the core that loads. */
export function pinSelf() {
  if (pinning) spawnSync("taskset", ["-cp", pinning.load, String(process.pid)]);
}

/**
 * @typedef {"server" | "load"} Core
 * @typedef {{ pid: number, exited: () => string | null, stop: () => Promise<void> }} Running
 *   `exited` gives the reason once the process is gone, from the end of its standard error
 */

/**
 * @param {readonly string[]} command program and arguments
 * @param {Core} core
 * @returns {string[]} the same, on that core
 */
export function pinned(command, core) {
  return pinning ? ["taskset", "-c", pinning[core], ...command] : [...command];
}

const scratch = mkdtempSync(join(tmpdir(), "authentik-graphql-bench-"));
let started = 0;
const children = new Set();

/** Ends every child process when this one is told to end. */
export function endChildrenOnSignal() {
  for (const signal of ["SIGINT", "SIGTERM"])
    process.once(signal, () => {
      for (const child of children) child.kill("SIGKILL");
      process.exit(130);
    });
}

/**
 * @param {readonly string[]} command
 * @param {{ core: Core, env?: Record<string, string>, cwd?: string, firstLine?: boolean }} options
 *   `firstLine`: wait for the first line of standard output, which is JSON; otherwise that goes nowhere
 * @returns {Promise<Running & { line: any }>}
 */
export async function start(command, { core, env = {}, cwd, firstLine = false }) {
  const log = join(scratch, `${++started}.log`);
  const [program, ...args] = pinned(command, core);
  const child = spawn(program, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ["ignore", firstLine ? "pipe" : "ignore", openSync(log, "w")],
  });
  children.add(child);
  const ended = new Promise((resolve) => child.once("exit", resolve).once("error", resolve));
  void ended.then(() => children.delete(child));
  const reason = () => readFileSync(log, "utf8").trim().split("\n").slice(-6).join("\n");
  const exited = () => (child.exitCode === null && child.signalCode === null ? null : reason());
  const stop = async () => {
    if (exited() !== null) return;
    child.kill("SIGTERM");
    const gone = await Promise.race([ended.then(() => true), sleep(1500, false, { ref: false })]);
    if (!gone) child.kill("SIGKILL");
    await ended;
  };
  const line = firstLine ? JSON.parse(await firstLineOf(child, ended, reason)) : null;
  return { pid: child.pid ?? 0, exited, stop, line };
}

function firstLineOf(child, ended, reason) {
  return new Promise((resolve, reject) => {
    let text = "";
    child.stdout.on("data", (chunk) => {
      text += chunk;
      if (text.includes("\n")) resolve(text.slice(0, text.indexOf("\n")));
    });
    void ended.then(() => reject(new Error(`${child.spawnargs.join(" ")} ended: ${reason()}`)));
  });
}

/** @returns {Promise<number>} a TCP port of 127.0.0.1 that was free a moment ago */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** Seconds that a core has worked since the machine started; NaN where nothing is pinned. @param {Core} core */
export function busySeconds(core) {
  if (!pinning) return Number.NaN;
  const line = new RegExp(`^cpu${pinning[core]} (.*)$`, "m").exec(proc("stat"));
  const [user, nice, system, , , irq, softirq] = (line?.[1] ?? "").split(" ").map(Number);
  return (user + nice + system + irq + softirq) / CLOCK_TICKS_PER_SECOND;
}

/** CPU seconds that the process has used; NaN where there is no /proc. @param {number} pid */
export function cpuSeconds(pid) {
  const fields = proc(`${pid}/stat`).split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SECOND;
}

/** Resident memory of the process in MiB; NaN where there is no /proc. @param {number} pid */
export function residentMib(pid) {
  return Number(/VmRSS:\s+(\d+)/.exec(proc(`${pid}/status`))?.[1]) / 1024;
}

/** @param {string} name of a file of /proc @returns {string} "" where there is none */
function proc(name) {
  try {
    return readFileSync(`/proc/${name}`, "utf8");
  } catch {
    return "";
  }
}
