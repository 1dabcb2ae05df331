import { expect, test } from "vitest";
import { createTurnBatch } from "../src/turn-batch.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("what comes after a quiet turn is handled at once, the rest of its turn together, in its order, after it", async () => {
  const handled: number[] = [];
  const batch = createTurnBatch<number>((item) => void handled.push(item));
  batch.add(1);
  expect(handled).toEqual([1]);
  batch.add(2);
  await Promise.resolve();
  batch.add(3);
  expect(handled).toEqual([1]);
  await turn();
  expect(handled).toEqual([1, 2, 3]);
});

test("turn after turn that brings something, all of it is handled together", async () => {
  const handled: number[] = [];
  const batch = createTurnBatch<number>((item) => void handled.push(item));
  batch.add(0);
  for (const first of [1, 3, 5]) {
    batch.add(first);
    batch.add(first + 1);
    expect(handled).not.toContain(first);
    await turn();
    expect(handled).toEqual(Array.from({ length: first + 2 }, (_, index) => index));
  }
  await turn();
  batch.add(7);
  expect(handled).toContain(7);
});

test("what handling brings up waits", async () => {
  const handled: string[] = [];
  const batch = createTurnBatch<string>((item) => {
    if (item === "first") batch.add("brought up by the first");
    if (item === "second") batch.add("brought up by the second");
    handled.push(item);
  });
  batch.add("first");
  batch.add("second");
  expect(handled).toEqual(["first"]);
  await turn();
  expect(handled.slice(0, 3)).toEqual(["first", "brought up by the first", "second"]);
  await turn();
  expect(handled[3]).toBe("brought up by the second");
});

test("flush handles at once, and nothing twice", async () => {
  const handled: number[] = [];
  const batch = createTurnBatch<number>((item) => void handled.push(item));
  for (const item of [1, 2, 3]) batch.add(item);
  batch.flush();
  expect(handled).toEqual([1, 2, 3]);
  batch.add(4);
  await turn();
  await turn();
  expect(handled).toEqual([1, 2, 3, 4]);
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
