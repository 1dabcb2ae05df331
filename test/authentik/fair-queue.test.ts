import { expect, test } from "vitest";
import { createFixedLimit } from "../../src/authentik/concurrency-limit.ts";
import { createFairQueue, type FairQueue, type Ticket } from "../../src/authentik/fair-queue.ts";
import {
  createServer,
  createSimulatedGateway,
  createSimulation,
  list,
  quantile,
  RETRIEVE,
} from "./simulation.ts";

const sample = { latencyMs: 1, bytes: 1, outcome: "answered" } as const;

const everyday = {};
const nameOf = new Map<object, string>();

/** A queue whose calls run until the test ends them, with the order in which they started. */
function observe(places: number, queueMax = 1_000) {
  let time = 0;
  const started: string[] = [];
  const running: Ticket[] = [];
  const queue: FairQueue = createFairQueue({
    limit: createFixedLimit(places),
    queueMax,
    now: () => time,
    after: () => {},
  });
  return {
    queue,
    started,
    pass: (ms: number): void => {
      time += ms;
    },
    enter: (caller: string, cost = 1, operation: object = everyday): Ticket | null =>
      queue.enter({
        callerKey: caller,
        operation,
        cost,
        start: (ticket) => {
          started.push(nameOf.get(operation) ?? caller);
          running.push(ticket);
        },
      }),
    /** Ends the call that has run longest. */
    end: (): void => {
      const ticket = running.shift();
      if (ticket) queue.release(ticket, sample);
    },
  };
}

test("callers take turns, whoever came with more", () => {
  const { enter, end, started } = observe(1);
  enter("alice");
  for (let index = 0; index < 5; index += 1) enter("alice");
  for (let index = 0; index < 2; index += 1) enter("bob");
  enter("carol");
  for (let index = 0; index < 8; index += 1) end();
  expect(started.join(" ")).toBe("alice alice bob carol alice bob alice alice alice");
});

test("what somebody asked for once, and was answered, keeps no places from the one who calls now", () => {
  const { enter, end, pass, started } = observe(8);
  for (let index = 0; index < 50; index += 1) enter("once");
  for (let index = 0; index < 50; index += 1) end();
  pass(1_500);
  for (let index = 0; index < 20; index += 1) enter("now");
  expect(started.filter((caller) => caller === "now")).toHaveLength(8);
});

test("operations of one caller take turns too: one of many calls does not hold up those of one", () => {
  const { enter, end, started } = observe(1);
  const operations = ["many", "one", "two"].map((name) => {
    const operation = {};
    nameOf.set(operation, name);
    return operation;
  });
  const [many, one, two] = operations;
  for (let index = 0; index < 6; index += 1) enter("service", 1, many);
  enter("service", 1, one);
  for (let index = 0; index < 2; index += 1) enter("service", 1, two);
  for (let index = 0; index < 8; index += 1) end();
  expect(started.join(" ")).toBe("many many one two many two many many many");
});

test("turns are measured in work for authentik: one long list waits for as many retrieves of others", () => {
  const { enter, end, started } = observe(1);
  enter("somebody");
  for (let index = 0; index < 3; index += 1) enter("lister", 10);
  for (let index = 0; index < 30; index += 1) enter("retriever", 1);
  for (let index = 0; index < 33; index += 1) end();
  const lists = started.flatMap((caller, index) => (caller === "lister" ? [index] : []));
  expect(lists.map((at) => at - lists[0]!)).toEqual([0, 11, 22]);
});

test("a queue that is full refuses at once, and no caller can fill more than half of it", () => {
  const { enter, queue } = observe(1, 10);
  enter("alice");
  const alice = Array.from({ length: 7 }, () => enter("alice") !== null);
  expect(alice).toEqual([true, true, true, true, true, false, false]);
  const others = Array.from({ length: 7 }, (_, index) => enter(`other ${index}`) !== null);
  expect(others).toEqual([true, true, true, true, true, false, false]);
  expect(queue.queued()).toBe(10);
});

test("who leaves the queue is not started and makes room", () => {
  const { enter, end, queue, started } = observe(1, 2);
  enter("alice");
  const bob = enter("bob");
  enter("carol");
  expect(enter("dave")).toBeNull();
  if (bob) queue.leave(bob);
  if (bob) queue.leave(bob);
  expect(queue.queued()).toBe(1);
  expect(enter("dave")).not.toBeNull();
  for (let index = 0; index < 3; index += 1) end();
  expect(started).toEqual(["alice", "carol", "dave"]);
  expect([queue.inFlight(), queue.queued()]).toEqual([0, 0]);
});

test("a call that ends while it is being started does not upset the count", () => {
  const queue = createFairQueue({ limit: createFixedLimit(1), queueMax: 10, now: () => 0, after: () => {} });
  let ended = 0;
  const fail = (ticket: Ticket): void => {
    queue.release(ticket, sample);
    ended += 1;
  };
  let first: Ticket | null = null;
  const call = { callerKey: "alice", operation: {}, cost: 1 };
  queue.enter({
    ...call,
    start: (ticket) => {
      first = ticket;
    },
  });
  for (let index = 0; index < 5; index += 1) queue.enter({ ...call, callerKey: "bob", start: fail });
  queue.release(first!, sample);
  expect([ended, queue.inFlight(), queue.queued()]).toEqual([5, 0, 0]);
});

test("while others are about, a caller leaves room; alone it may use everything", () => {
  const { enter, end, queue, pass, started } = observe(8);
  for (let index = 0; index < 20; index += 1) enter("alice");
  expect(queue.inFlight()).toBe(8);
  enter("bob");
  for (let index = 0; index < 8; index += 1) end();
  expect(started.filter((caller) => caller === "bob").length).toBe(1);
  // Places for alice: 8, less the one that bob wants, less one.
  expect(queue.inFlight()).toBeLessThanOrEqual(7);
  for (let index = 0; index < 7; index += 1) end();
  pass(15_000);
  for (let index = 0; index < 20; index += 1) enter("alice");
  expect(queue.inFlight()).toBe(8);
});

/** Long enough for rare questions to have a p95. */
const SECONDS = 150;

/** One caller who asks for one connection again and again, alone and beside somebody with 500 calls waiting. */
function secondCaller(options: { workers: number; thinkMs: number; other: () => typeof RETRIEVE }) {
  const measure = (accompanied: boolean): { times: number[]; others: number } => {
    const simulation = createSimulation();
    const gateway = createSimulatedGateway(simulation, createServer(simulation, options.workers));
    let others = 0;
    const callAgain = (): void => {
      gateway.call("other", options.other(), () => {
        others += 1;
        callAgain();
      });
    };
    if (accompanied) for (let index = 0; index < 500; index += 1) simulation.after(0, callAgain);
    const times: number[] = [];
    const ask = (): void => {
      gateway.call("me", RETRIEVE, (ms) => {
        times.push(ms);
        simulation.after(options.thinkMs, ask);
      });
    };
    simulation.after(2_000, ask);
    simulation.runUntil(SECONDS * 1_000);
    return { times, others };
  };
  return { alone: measure(false), beside: measure(true) };
}

test.each([
  ["500 retrieves", 2, 0, () => RETRIEVE, 28],
  ["500 retrieves, asked now and then", 2, 200, () => RETRIEVE, 28],
  ["500 retrieves, asked rarely", 2, 3_000, () => RETRIEVE, 40],
  ["500 lists of 100 rows", 2, 0, () => list(100), 3],
  ["500 retrieves and eight workers", 8, 50, () => RETRIEVE, 150],
  ["500 retrieves and 100 workers", 100, 20, () => RETRIEVE, 2_500],
])("beside %s another caller's p95 at most doubles", (_name, workers, thinkMs, other, leastOthers) => {
  const { alone, beside } = secondCaller({ workers, thinkMs, other });
  expect(quantile(beside.times, 0.95)).toBeLessThanOrEqual(2 * quantile(alone.times, 0.95));
  // And the other one is not starved for it (calls a second).
  expect(beside.others / SECONDS).toBeGreaterThan(leastOthers);
});
