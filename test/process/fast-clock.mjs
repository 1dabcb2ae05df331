// Loaded into a process whose half minutes shall not take half a minute: only the clock is another one.
const { setInterval } = globalThis;
globalThis.setInterval = (run, ms, ...rest) => setInterval(run, ms >= 30_000 ? ms / 300 : ms, ...rest);
