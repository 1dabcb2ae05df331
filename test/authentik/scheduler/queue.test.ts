import { expect, test } from "vitest";
import { createFixedLimit } from "../../../src/authentik/scheduler/concurrency-limit.ts";
import { createRequestQueue } from "../../../src/authentik/scheduler/queue.ts";

const ANSWERED = { latencyMs: 33, kind: "retrieve" } as const;

/** A queue of one permit, which notes what was started. */
function createQueue(queueMax = 100) {
  const queue = createRequestQueue({ limit: createFixedLimit(1), queueMax });
  const started: string[] = [];
  let answered = 0;
  const requestOf = (callerKey: string, name: string) => ({
    callerKey,
    start: () => void started.push(name),
  });
  return {
    queue,
    started,
    requestOf,
    /** Enters a request of this caller under a name. */
    enter: (callerKey: string, name: string) => queue.enter(requestOf(callerKey, name)),
    /** Answers whatever was started, until nothing is left. */
    finish: () => {
      for (; answered < started.length; answered += 1) queue.release(ANSWERED);
    },
  };
}

test("callers take turns, each in the order of its requests; who was just served waits for the others", () => {
  const { enter, finish, started } = createQueue();
  for (const name of ["a1", "b1", "c1", "a2", "a3", "b2", "a4"]) enter(name.charAt(0), name);
  finish();
  expect(started).toEqual(["a1", "b1", "c1", "a2", "b2", "a3", "a4"]);
});

test("a full queue refuses at once, and one caller fills no more than half of it", () => {
  const { enter, queue } = createQueue(4);
  enter("a", "in flight");
  expect([enter("a", "a1"), enter("a", "a2"), enter("a", "a3")]).toEqual([true, true, false]);
  expect([enter("b", "b1"), enter("c", "c1"), enter("d", "d1")]).toEqual([true, true, false]);
  expect(queue.queued()).toBe(4);
});

test("an aborted request makes room; to abort it twice or after its start changes nothing", () => {
  const { enter, finish, requestOf, started, queue } = createQueue(2);
  const inFlight = requestOf("a", "a1");
  const waiting = requestOf("a", "a2");
  expect([queue.enter(inFlight), queue.enter(waiting)]).toEqual([true, true]);
  queue.abort(waiting);
  queue.abort(waiting);
  queue.abort(inFlight);
  expect([queue.inFlight(), queue.queued()]).toEqual([1, 0]);
  enter("a", "a3");
  finish();
  expect(started).toEqual(["a1", "a3"]);
});
