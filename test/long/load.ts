import { setTimeout as sleep } from "node:timers/promises";
import { Pool } from "undici";

/** What to send: the operation of the request with this number, and whether its client leaves before it is answered. */
interface LoadOptions {
  clients: number;
  query: (index: number) => string;
  leaves?: (index: number) => boolean;
}

/** Clients that each send the next request, of another caller, when the last one is answered, or `Retry-After` says so. */
export function startLoad(base: URL, { clients, query, leaves = () => false }: LoadOptions) {
  const pool = new Pool(base.origin, { connections: clients, pipelining: 1 });
  const statuses: Record<number, number> = {};
  /** Why requests got no answer. */
  const failures: unknown[] = [];
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
        const { statusCode, headers, body } = await pool.request({
          path: "/graphql",
          method: "POST",
          headers: { "content-type": "application/json", authorization: `Bearer token-${index}` },
          body: JSON.stringify({ query: query(index) }),
          ...(leaves(index) && { signal: AbortSignal.timeout(1) }),
        });
        await body.dump();
        statuses[statusCode] = (statuses[statusCode] ?? 0) + 1;
        if (statusCode === 200) latenciesMs.push(performance.now() - startedMs);
        if (statusCode !== 503) continue;
        const seconds = Number(headers["retry-after"]);
        if (seconds > 0) await sleep(seconds * 1000);
        else withoutRetryAfter += 1;
      } catch (error) {
        if (!leaves(index)) failures.push(error);
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
