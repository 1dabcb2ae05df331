import type { AnswerCache } from "./answer-cache.ts";
import { startCall, type Line } from "./call.ts";
import type { Authentik, AuthentikClient, Caller, RestGet, Usage } from "./client.ts";
import type { Cancellation } from "./cancellation.ts";
import { readAnswer } from "./answers.ts";
import type { Answer } from "./exchange.ts";
import { AuthentikError } from "./errors.ts";
import type { Flight, SingleFlight, Waiter } from "./single-flight.ts";

/** What the clients of all callers share. */
export interface ClientParts {
  upstream: Authentik;
  line: Line;
  flights: SingleFlight;
  /** Null: every answer is asked for. */
  cache: AnswerCache | null;
  /** Whether identical GETs of one caller in flight at once share one call. */
  coalesce: boolean;
  /** Sends one DELETE. */
  sendDelete: (path: string, headers: Record<string, string>) => Promise<Answer>;
}

/** The REST API as one caller sees it, for one operation. */
export function createCallerClient(parts: ClientParts, caller: Caller): AuthentikClient {
  const { line, flights, cache, coalesce } = parts;
  const { signal } = caller;
  const { key: callerKey, authorization } = caller.identity;
  const { requestId } = caller;
  const usage = createUsage();
  let callsLeft = caller.maxRestCalls;

  const takeCall = (): boolean => {
    if (callsLeft <= 0) return false;
    callsLeft -= 1;
    return true;
  };

  /** What this operation waits for. While that is anything, it listens to its signal, with one listener. */
  const awaited: Waiter[] = [];
  const leaveAll = (): void => {
    const reason = reasonOf(signal);
    // Latest first: those still queue, and must have left before a place becomes free for them.
    for (const waiter of awaited.toReversed()) flights.leave(waiter, reason);
  };
  const forget = (waiter: Waiter): void => {
    awaited.splice(awaited.indexOf(waiter), 1);
    if (awaited.length === 0) signal.removeEventListener("abort", leaveAll);
  };
  const join = (flight: Flight): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const waiter: Waiter = { resolve, reject, flight, done: forget };
      flight.waiters.push(waiter);
      if (awaited.length === 0) signal.addEventListener("abort", leaveAll);
      awaited.push(waiter);
    });

  const ask = (request: RestGet, key: string): Promise<unknown> => {
    const flight = flights.open(coalesce ? key : "");
    const result = join(flight);
    flight.cancel = startCall(
      line,
      { request, requestId, authorization, callerKey, usage, takeCall },
      {
        answered(value, bytes) {
          cache?.set(key, value, bytes);
          flights.land(flight, value);
        },
        failed: (error) => flights.crash(flight, error),
      },
    );
    return result;
  };

  return {
    callerKey,
    upstream: parts.upstream,
    usage,
    values: {},
    get(request) {
      if (signal.aborted) return Promise.reject(reasonOf(signal));
      const key = coalesce || cache !== null ? callerKey + request.path : "";
      const cached = cache?.get(key);
      const shared = cached === undefined && coalesce ? flights.find(key) : undefined;
      if (cached !== undefined || shared !== undefined) usage.sharedCalls += 1;
      if (cached !== undefined) return Promise.resolve(cached.value);
      if (shared !== undefined) return join(shared);
      if (takeCall()) return ask(request, key);
      return Promise.reject(
        new AuthentikError("too-many-calls", "the operation has used up its REST calls", {
          route: request.route,
        }),
      );
    },
    async delete({ route, path }) {
      if (signal.aborted) throw reasonOf(signal);
      if (!takeCall()) throw new AuthentikError("too-many-calls", "no calls left", { route });
      usage.restCalls += 1;
      const answer = await parts.sendDelete(path, { authorization, "x-request-id": requestId });
      if (answer.status === 204) return;
      const reading = readAnswer(answer, route);
      throw reading instanceof AuthentikError ? reading : new AuthentikError("malformed-response", "no 204");
    },
  };
}

function createUsage(): Usage {
  return {
    restCalls: 0,
    sharedCalls: 0,
    retries: 0,
    queuedMs: 0,
    rowsListed: 0,
    keysRequested: 0,
    keysFetched: 0,
  };
}

function reasonOf(signal: Cancellation): AuthentikError {
  const reason: unknown = signal.reason;
  if (reason instanceof AuthentikError) return reason;
  return new AuthentikError("cancelled", "the operation was aborted", { cause: reason });
}
