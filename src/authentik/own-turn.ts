import { performance } from "node:perf_hooks";

/**
 * A meter of this process's own event loop: each reading gives the mean milliseconds that a turn took since the last
 * reading, waiting for events not counted. While it is high, measured latencies are partly our own.
 */
export function createOwnTurnMeter(): () => number {
  let utilization = performance.eventLoopUtilization();
  let turns = performance.nodeTiming.uvMetricsInfo.loopCount;
  return () => {
    const nextUtilization = performance.eventLoopUtilization();
    const nextTurns = performance.nodeTiming.uvMetricsInfo.loopCount;
    const activeMs = nextUtilization.active - utilization.active;
    const passed = Math.max(1, nextTurns - turns);
    utilization = nextUtilization;
    turns = nextTurns;
    return activeMs / passed;
  };
}
