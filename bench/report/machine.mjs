import { spawnSync } from "node:child_process";
import { cpus, release, totalmem, type } from "node:os";

/**
 * What the figures were taken on and how.
 * @param {{ quick: boolean, tool: string, pinned: boolean, nativeStub: boolean }} how
 */
export function machine(how) {
  const wrk = /wrk (\S+)/.exec(spawnSync("wrk", ["-v"], { encoding: "utf8" }).stdout ?? "")?.[1];
  return {
    ...how,
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    // Not those that are left to this process: it has moved to one.
    cores: cpus().length,
    memoryGib: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
    node: process.versions.node,
    tool:
      how.tool === "wrk"
        ? `wrk ${wrk ?? ""}`.trim()
        : "clients in Node (no wrk: the fastest rows show their speed)",
    date: new Date().toISOString().slice(0, 10),
  };
}
