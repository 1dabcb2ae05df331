import { setTimeout as sleep } from "node:timers/promises";
import { Pool } from "undici";

/** What a load of requests got. */
export type LoadResult = Awaited<ReturnType<ReturnType<typeof startLoad>["stop"]>>;

/** What to send. */
interface LoadOptions {
  clients: number;
  /** Body of the request with this number. */
  body: (index: number) => string;
  /** Whether a client that was refused waits as `Retry-After` asks for, or tries again at once. */
  patient?: boolean;
  authorization?: (index: number) => string;
  /** Whether the client of this request leaves before it is answered. */
  leaves?: (index: number) => boolean;
}

/** Clients that each send the next request when the last one is answered, over kept connections. */
export function startLoad(base: URL, options: LoadOptions) {
  const { clients, body, patient = false } = options;
  const { authorization = () => "Bearer token-of-administrator", leaves = () => false } = options;
  const pool = new Pool(base.origin, { connections: clients, pipelining: 1 });
  /** Answers by HTTP status. */
  const statuses = new Map<number, number>();
  /** Requests that got no answer, by the error's code. */
  const failures = new Map<string, number>();
  /** Milliseconds of each answer with status 200, ascending in the end. */
  const latenciesMs: number[] = [];
  /** Answers with 503 that did not say when to come back. */
  let withoutRetryAfter = 0;
  let sent = 0;
  const stopping = new AbortController();

  const client = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const index = (sent += 1);
      const startedMs = performance.now();
      try {
        const answer = await pool.request({
          path: "/graphql",
          method: "POST",
          headers: { "content-type": "application/json", authorization: authorization(index) },
          body: body(index),
          ...(leaves(index) && { signal: AbortSignal.timeout(1) }),
        });
        await answer.body.dump();
        statuses.set(answer.statusCode, (statuses.get(answer.statusCode) ?? 0) + 1);
        if (answer.statusCode === 200) latenciesMs.push(performance.now() - startedMs);
        if (answer.statusCode !== 503) continue;
        const seconds = Number(answer.headers["retry-after"]);
        if (!(seconds > 0)) withoutRetryAfter += 1;
        else if (patient) await sleep(seconds * 1000);
      } catch (error) {
        if (leaves(index)) continue;
        const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
        failures.set(code, (failures.get(code) ?? 0) + 1);
      }
    }
  };
  const running = Array.from({ length: clients }, client);
  return {
    /** Requests sent so far. */
    sent: () => sent,
    stop: async () => {
      stopping.abort();
      await Promise.all(running);
      await pool.close();
      latenciesMs.sort((left, right) => left - right);
      return { statuses, failures, latenciesMs, withoutRetryAfter };
    },
  };
}

/** The value that this share of ascending values does not exceed. */
export function percentile(ascending: readonly number[], share: number): number {
  return ascending[Math.min(ascending.length - 1, Math.floor(ascending.length * share))] ?? Number.NaN;
}
