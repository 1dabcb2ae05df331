import { expect, test } from "vitest";
import { createTurnBatch } from "../src/turn-batch.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("what one turn brings is handled together, in its order, after it", async () => {
  const handled: number[] = [];
  const batch = createTurnBatch<number>((item) => void handled.push(item));
  batch.add(1);
  batch.add(2);
  await Promise.resolve();
  batch.add(3);
  expect(handled).toEqual([]);
  await turn();
  expect(handled).toEqual([1, 2, 3]);
  batch.add(4);
  await turn();
  expect(handled).toEqual([1, 2, 3, 4]);
});

test("what handling brings up waits for the next turn", async () => {
  const handled: string[] = [];
  const batch = createTurnBatch<string>((item) => {
    handled.push(item);
    if (item === "first") batch.add("brought up");
  });
  batch.add("first");
  batch.add("second");
  await turn();
  expect(handled.slice(0, 2)).toEqual(["first", "second"]);
  await turn();
  expect(handled).toEqual(["first", "second", "brought up"]);
});

test("flush handles at once, and nothing twice", async () => {
  const handled: number[] = [];
  const batch = createTurnBatch<number>((item) => void handled.push(item));
  batch.add(1);
  batch.flush();
  expect(handled).toEqual([1]);
  batch.add(2);
  await turn();
  await turn();
  expect(handled).toEqual([1, 2]);
});

test("one that fails takes no other along", async () => {
  const handled: number[] = [];
  const batch = createTurnBatch<number>((item) => {
    if (item === 2) throw new Error("2 is odd");
    handled.push(item);
  });
  for (const item of [1, 2, 3, 4]) batch.add(item);
  expect(() => batch.flush()).toThrow("2 is odd");
  await turn();
  await turn();
  expect(handled).toEqual([1, 3, 4]);
});
