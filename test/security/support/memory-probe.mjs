// Loaded into the process that is measured. On SIGUSR2 it prints what it has cost so far, collects garbage, and prints what
// is left, and what it has cost with that.
const cpuMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
process.on("SIGUSR2", () => {
  const spentMs = cpuMs();
  globalThis.gc();
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  const cost = { spentMs, heldBytes: heapUsed + external, measuredMs: cpuMs() };
  process.stderr.write(`probe ${JSON.stringify(cost)}\n`);
});
