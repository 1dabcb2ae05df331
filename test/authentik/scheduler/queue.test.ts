import { expect, test } from "vitest";
import { createFixedLimit } from "../../../src/authentik/scheduler/concurrency-limit.ts";
import { createRequestQueue } from "../../../src/authentik/scheduler/queue.ts";

/** A queue of one permit, which notes what was started. A request is called by its caller's letter and a number. */
function createQueue(queueMax = 100) {
  const queue = createRequestQueue({ limit: createFixedLimit(1), queueMax });
  const started: string[] = [];
  const requestOf = (name: string) => ({ callerKey: name.charAt(0), start: () => void started.push(name) });
  return {
    queue,
    requestOf,
    enter: (name: string) => queue.enter(requestOf(name)),
    /** Answers whatever was started, until nothing is left. */
    finish: (): readonly string[] => {
      for (const _name of started) queue.release({ latencyMs: 33, kind: "retrieve" });
      return started;
    },
  };
}

test("callers take turns, each in the order of its requests; who was just served waits for the others", () => {
  const { enter, finish } = createQueue();
  for (const name of ["a1", "b1", "c1", "a2", "a3", "b2", "a4"]) enter(name);
  expect(finish()).toEqual(["a1", "b1", "c1", "a2", "b2", "a3", "a4"]);
});

test("a full queue refuses at once, and one caller fills no more than half of it", () => {
  const { enter, queue } = createQueue(4);
  enter("a0");
  expect([enter("a1"), enter("a2"), enter("a3")]).toEqual([true, true, false]);
  expect([enter("b1"), enter("c1"), enter("d1")]).toEqual([true, true, false]);
  expect(queue.queued()).toBe(4);
});

test("an aborted request makes room; to abort it twice or after its start changes nothing", () => {
  const { enter, finish, requestOf, queue } = createQueue(2);
  const inFlight = requestOf("a1");
  const waiting = requestOf("a2");
  expect([queue.enter(inFlight), queue.enter(waiting)]).toEqual([true, true]);
  for (const request of [waiting, waiting, inFlight]) queue.abort(request);
  expect([queue.inFlight(), queue.queued()]).toEqual([1, 0]);
  enter("a3");
  expect(finish()).toEqual(["a1", "a3"]);
});
