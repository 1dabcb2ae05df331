import type { RunningSandbox } from "../cli/serving.ts";
import type { MetricsSnapshot } from "../metrics/families.ts";

/** What a worker tells its primary. */
export type WorkerMessage =
  /** It runs and waits to be told what to do. */
  | { kind: "hello" }
  | { kind: "ready"; port: number }
  /** It cannot serve; `sentence` says why, to a person. */
  | { kind: "failed"; sentence: string }
  /** Somebody asked it for metrics: what do the others have? */
  | { kind: "collect"; id: number }
  | { kind: "numbers"; id: number; snapshot: MetricsSnapshot };

/** What the primary tells a worker. */
export type PrimaryMessage =
  | { kind: "start"; worker: number; sandbox: RunningSandbox | null }
  | { kind: "report"; id: number }
  | { kind: "collected"; id: number; snapshots: readonly MetricsSnapshot[] }
  | { kind: "drain"; graceMs: number };

/** Whether a message from a worker is one of ours: Node and libraries may use the channel as well. */
export function isWorkerMessage(value: unknown): value is WorkerMessage {
  return hasKind(value, ["hello", "ready", "failed", "collect", "numbers"]);
}

/** Whether a message from the primary is one of ours. */
export function isPrimaryMessage(value: unknown): value is PrimaryMessage {
  return hasKind(value, ["start", "report", "collected", "drain"]);
}

function hasKind(value: unknown, kinds: readonly string[]): boolean {
  if (typeof value !== "object" || value === null || !("kind" in value)) return false;
  return typeof value.kind === "string" && kinds.includes(value.kind);
}
