import { performance } from "node:perf_hooks";

/** Lines that tell what is being measured and how long it has taken so far. */
export function createProgress() {
  const startMs = performance.now();
  const clock = () => {
    const seconds = Math.round((performance.now() - startMs) / 1000);
    return `${String(Math.floor(seconds / 60)).padStart(2)}:${String(seconds % 60).padStart(2, "0")}`;
  };
  /** @param {string} text */
  const say = (text) => void process.stdout.write(`${clock()}  ${text}\n`);
  return { say, seconds: () => (performance.now() - startMs) / 1000 };
}

/** @typedef {ReturnType<typeof createProgress>} Progress */
