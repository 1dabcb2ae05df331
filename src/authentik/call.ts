import type { Breaker, Leave } from "./breaker.ts";
import { readAnswer } from "./answers.ts";
import type { RestGet, Usage } from "./client.ts";
import type { LimitSample } from "./concurrency-limit.ts";
import { AuthentikError } from "./errors.ts";
import type { FairQueue, Ticket } from "./fair-queue.ts";
import { toNetworkError } from "./network-errors.ts";
import { isWorthRetrying, retryPauseMs, type RetryBudget } from "./retry.ts";
import type { RowCost } from "./row-cost.ts";
import type { TurnBatch } from "../turn-batch.ts";
import type { Answer } from "./exchange.ts";
import type { Transport } from "./transport.ts";

/** The way to one authentik: what all calls share. */
export interface Line {
  transport: Transport;
  queue: FairQueue;
  breaker: Breaker;
  /** Null: nothing is sent twice. */
  retries: RetryBudget | null;
  rowCost: RowCost;
  /** Settles calls whose answers are there, those of one turn of the event loop together. */
  answered: TurnBatch<() => void>;
  /** A clock in milliseconds. */
  now: () => number;
}

/** One call to make. */
export interface Order {
  request: RestGet;
  requestId: string;
  authorization: string;
  callerKey: string;
  /** Of the operation; stands for it in the queue. */
  usage: Usage;
  /** Whether the operation may send one more call; takes it from its allowance. */
  takeCall: () => boolean;
}

export interface Outcome {
  answered(value: unknown, bytes: number): void;
  failed(error: AuthentikError): void;
}

/** Rows that cost authentik as much as one retrieve. */
const ROWS_PER_RETRIEVE = 12;
/** With no more calls than this in flight, latencies are authentik's own. */
const QUIET_CALLS = 2;
/** A deadline that ended a call in flight for less than this tells nothing about authentik. */
const TIMEOUT_COUNTS_FROM_MS = 500;

/**
 * One call from the queue to its outcome: waits for a place, is sent, may be sent once more.
 * The result cancels it wherever it stands; nothing is reported after that. Where time ran out in the pause before a second
 * attempt, cancelling gives the failure of the first: that is why there is no answer.
 */
export function startCall(
  line: Line,
  order: Order,
  outcome: Outcome,
): (reason: unknown) => AuthentikError | null {
  const { request, usage } = order;
  const cost = request.rows === undefined ? 1 : 1 + request.rows / ROWS_PER_RETRIEVE;
  let over = false;
  let cancelledBy: unknown = null;
  let waiting: Ticket | null = null;
  let cancelSending: (() => void) | null = null;
  let pause: NodeJS.Timeout | null = null;
  let firstFailure: AuthentikError | null = null;

  const fail = (error: AuthentikError): void => {
    over = true;
    outcome.failed(error);
  };

  const enter = (): void => {
    const blockedMs = line.breaker.blockedMs();
    if (blockedMs > 0) {
      fail(breakerIsOpen(blockedMs, request.route));
      return;
    }
    waiting = line.queue.enter({ callerKey: order.callerKey, operation: usage, cost, start: send });
    if (waiting === null) {
      fail(new AuthentikError("overloaded", "the queue towards authentik is full", { route: request.route }));
    }
  };

  const send = (ticket: Ticket): void => {
    const startedAt = line.now();
    const queuedMs = ticket.waitingSince === 0 ? 0 : startedAt - ticket.waitingSince;
    usage.queuedMs += queuedMs;
    const leave = line.breaker.admit();
    if (typeof leave === "number") {
      line.queue.release(ticket, { latencyMs: 0, bytes: 0, outcome: "other" });
      fail(breakerIsOpen(leave, request.route));
      return;
    }
    usage.restCalls += 1;
    const isQuiet = line.queue.inFlight() <= QUIET_CALLS;
    let sentAt = startedAt;
    const head = { path: request.path, requestId: order.requestId, authorization: order.authorization };
    cancelSending = line.transport.send(head, {
      onSent() {
        sentAt = line.now();
      },
      onAnswer(answer) {
        const latencyMs = line.now() - sentAt;
        cancelSending = null;
        line.answered.add(() => settle(ticket, { answer, latencyMs, leave, isQuiet }));
      },
      onFailure(cause) {
        cancelSending = null;
        const latencyMs = line.now() - startedAt;
        const error = toNetworkError(cause, request.route);
        const late =
          over && isTimeout(cancelledBy) && latencyMs >= Math.max(queuedMs, TIMEOUT_COUNTS_FROM_MS);
        line.breaker.record(leave, late || isOutage(error) ? "failure" : "neutral");
        line.queue.release(ticket, { latencyMs, bytes: 0, outcome: late ? "dropped" : "other" });
        if (!over) failOrRetry(error);
      },
    });
  };

  const settle = (
    ticket: Ticket,
    {
      answer,
      latencyMs,
      leave,
      isQuiet,
    }: { answer: Answer; latencyMs: number; leave: Leave; isQuiet: boolean },
  ): void => {
    const reading = readAnswer(answer, request.route);
    const error = reading instanceof AuthentikError ? reading : null;
    line.breaker.record(leave, error !== null && isOutage(error) ? "failure" : "success");
    if (isQuiet && line.queue.inFlight() <= QUIET_CALLS && !(reading instanceof AuthentikError)) {
      line.rowCost.note(rowsOf(reading.value), latencyMs);
    }
    line.queue.release(ticket, { latencyMs, bytes: answer.bytes, outcome: sampleOf(answer, error) });
    if (over) return;
    if (reading instanceof AuthentikError) failOrRetry(reading);
    else {
      over = true;
      outcome.answered(reading.value, answer.bytes);
    }
  };

  const failOrRetry = (error: AuthentikError): void => {
    const again =
      line.retries !== null &&
      firstFailure === null &&
      isWorthRetrying(error) &&
      order.takeCall() &&
      line.retries.spend();
    if (!again) {
      fail(error);
      return;
    }
    firstFailure = error;
    pause = setTimeout(() => {
      pause = null;
      usage.retries += 1;
      enter();
    }, retryPauseMs());
  };

  line.retries?.earn();
  enter();

  return (reason) => {
    if (over) return null;
    over = true;
    cancelledBy = reason;
    if (waiting !== null) line.queue.leave(waiting);
    cancelSending?.();
    if (pause === null) return null;
    clearTimeout(pause);
    return isTimeout(reason) ? firstFailure : null;
  };
}

/** Trouble of the server or the way to it, not of one caller. */
function isOutage(error: AuthentikError): boolean {
  return error.kind === "unreachable" || error.kind === "starting";
}

function isTimeout(reason: unknown): boolean {
  return reason instanceof AuthentikError && reason.kind === "timeout";
}

/** Rows of a list; null for anything else. */
function rowsOf(value: unknown): number | null {
  if (typeof value !== "object" || value === null || !("results" in value)) return null;
  return Array.isArray(value.results) ? value.results.length : null;
}

function sampleOf(answer: Answer, error: AuthentikError | null): LimitSample["outcome"] {
  if (error === null || error.kind === "not-found") return "answered";
  return answer.status === 503 || answer.status === 504 ? "dropped" : "other";
}

function breakerIsOpen(blockedMs: number, route: string): AuthentikError {
  return new AuthentikError("unreachable", "authentik failed too often just now, so nothing was sent", {
    route,
    retryAfterSeconds: Math.ceil(blockedMs / 1_000),
    detail: "the circuit breaker is open",
  });
}
