import type { Worker } from "node:cluster";
import type { MetricsSnapshot } from "../metrics/families.ts";
import type { PrimaryMessage } from "./messages.ts";

/** Asks workers for their numbers on behalf of one of them. */
export interface Collector {
  /** Gathers the numbers of all workers but `asker`, adds the primary's own, and sends them to it. */
  collect: (asker: Worker, askerId: number, workers: readonly Worker[]) => void;
  /** Takes in what a worker reported. */
  receive: (report: { id: number; snapshot: MetricsSnapshot }) => void;
}

/** How long a worker may take to report, before the others' numbers are passed on without it. */
const REPORT_TIMEOUT_MS = 700;

/** Starts with nothing asked. `own` gives the primary's numbers. */
export function createCollector({ own }: { own: () => MetricsSnapshot }): Collector {
  const waiting = new Map<number, (snapshot: MetricsSnapshot) => void>();
  let lastId = 0;
  return {
    collect: (asker, askerId, workers) => {
      const others = workers.filter((worker) => worker !== asker && worker.isConnected());
      const snapshots: MetricsSnapshot[] = [own()];
      const id = (lastId += 1);
      const finish = (): void => {
        clearTimeout(timer);
        waiting.delete(id);
        send(asker, { kind: "collected", id: askerId, snapshots });
      };
      const timer = setTimeout(finish, REPORT_TIMEOUT_MS);
      waiting.set(id, (snapshot) => {
        snapshots.push(snapshot);
        if (snapshots.length > others.length) finish();
      });
      for (const worker of others) send(worker, { kind: "report", id });
      if (others.length === 0) finish();
    },
    receive: ({ id, snapshot }) => waiting.get(id)?.(snapshot),
  };
}

function send(worker: Worker, message: PrimaryMessage): void {
  if (worker.isConnected()) worker.send(message, () => {});
}
