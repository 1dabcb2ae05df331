// Loaded into the process that is measured. On SIGUSR2 it prints what it has cost so far, collects garbage, and prints what
// is left, and what it has cost with that.
import { readFileSync } from "node:fs";

const cpuMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

// How long one turn of the event loop keeps all others waiting: in CPU of its thread, since a machine that does other
// things as well would make any turn long. The first figure there is nanoseconds.
const turnMs = () => Number(readFileSync("/proc/thread-self/schedstat", "utf8").split(" ", 1)[0]) / 1e6;
let lastMs = turnMs();
let longestTurnMs = 0;
setInterval(() => {
  const nowMs = turnMs();
  longestTurnMs = Math.max(longestTurnMs, nowMs - lastMs);
  lastMs = nowMs;
}, 5).unref();

process.on("SIGUSR2", () => {
  const spentMs = cpuMs();
  const turn = longestTurnMs;
  globalThis.gc();
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  const cost = { spentMs, longestTurnMs: turn, heldBytes: heapUsed + external, measuredMs: cpuMs() };
  // Collecting is not the attack's.
  lastMs = turnMs();
  longestTurnMs = 0;
  process.stderr.write(`probe ${JSON.stringify(cost)}\n`);
});
