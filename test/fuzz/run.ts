import * as fc from "fast-check";
import { Agent } from "undici";
import { startFakeAuthentik } from "../support/fake-authentik.ts";
import { startGateway } from "../support/gateway.ts";
import { PROPERTIES, type FuzzTarget } from "./properties.ts";

/** Runs all properties with this many inputs in all; throws with seed and path at the first that does not hold. */
export async function runFuzz({ cases, seed }: { cases: number; seed: number }): Promise<number> {
  const authentik = await startFakeAuthentik();
  const gateway = await startGateway({
    authentikUrl: authentik.url,
    // Random answers look like an outage; what is tested here is how each is read.
    authentik: { retry: false },
  });
  const agent = new Agent({ connections: 10 });
  const target: FuzzTarget = { url: gateway.url, authentik, agent };
  let inputs = 0;
  try {
    for (const { property, share, batch } of PROPERTIES) {
      const numRuns = Math.ceil((cases * share) / 100 / batch);
      await fc.assert(property(target), { seed, numRuns });
      inputs += numRuns * batch;
    }
  } finally {
    await agent.destroy();
    await gateway.close();
    await authentik.close();
  }
  return inputs;
}
