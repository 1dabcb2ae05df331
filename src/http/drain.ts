import { setTimeout as sleep } from "node:timers/promises";

/** What ends, in this order. */
export interface Drainable {
  /** Tells balancers and clients: not ready, and every answer is the last of its connection. */
  announce: () => void;
  /** Takes nothing new and lets what is owed go out; false when something had to be cut off. */
  closeServer: (options: { timeoutMs: number }) => Promise<boolean>;
  /** Frees what the answers needed. */
  release: () => Promise<void>;
}

/** Time for connections to authentik to close once nobody needs them. */
const RELEASE_TIMEOUT_MS = 1000;

/**
 * Ends without losing a request: announces it, serves on for `graceMs` so that balancers notice, then closes.
 * @returns whether nothing was lost
 */
export async function drain(
  { announce, closeServer, release }: Drainable,
  { graceMs, timeoutMs }: { graceMs: number; timeoutMs: number },
): Promise<boolean> {
  announce();
  if (graceMs > 0) await sleep(graceMs);
  const complete = await closeServer({ timeoutMs });
  await Promise.race([release(), sleep(RELEASE_TIMEOUT_MS)]);
  return complete;
}
