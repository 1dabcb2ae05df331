/** Child processes of the benchmark: started on a core of their own where the machine can, watched, stopped for sure. */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, openSync, readFileSync, readdirSync } from "node:fs";
import { createServer } from "node:net";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const CLOCK_TICKS_PER_SECOND = 100;

/** Which cores serve and which load, or null where nothing can be pinned. */
export const pinning =
  availableParallelism() >= 2 && spawnSync("taskset", ["--version"]).status === 0
    ? { server: "0", load: "1", both: "0,1" }
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
 * @typedef {"server" | "load" | "both"} Core
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

/** The process and its descendants. @param {number} pid */
function family(pid) {
  let entries = [];
  try {
    entries = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
  const parents = new Map(entries.map((name) => [Number(name), statOf(Number(name))?.parent]));
  const members = new Set([pid]);
  for (let size = 0; size !== members.size;) {
    size = members.size;
    for (const [child, parent] of parents) if (members.has(parent)) members.add(child);
  }
  return [...members];
}

function statOf(pid) {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
    return { parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) };
  } catch {
    return null;
  }
}

/** CPU seconds that the process and its children have used; NaN where there is no /proc. @param {number} pid */
export function cpuSeconds(pid) {
  const stats = family(pid).map(statOf).filter(Boolean);
  return stats.length
    ? stats.reduce((sum, { ticks }) => sum + ticks, 0) / CLOCK_TICKS_PER_SECOND
    : Number.NaN;
}

/** Resident memory of the process and its children in MiB; NaN where there is no /proc. @param {number} pid */
export function residentMib(pid) {
  let kib = Number.NaN;
  for (const member of family(pid)) {
    try {
      const line = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${member}/status`, "utf8"));
      kib = (Number.isNaN(kib) ? 0 : kib) + Number(line?.[1] ?? 0);
    } catch {
      // it ended between the two looks
    }
  }
  return kib / 1024;
}
