import type { ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import type { Delivery } from "./faults.ts";
import type { WrittenAnswer } from "./respond.ts";

const dripMs = 100;

/** Sends an answer the given way; a delivery that fails on purpose counts as done. */
export async function deliver(
  written: WrittenAnswer,
  outgoing: ServerResponse,
  { delivery, signal }: { delivery: Delivery; signal: AbortSignal },
): Promise<void> {
  const { status, headers, body } = written;
  const half = Math.ceil(body.length / 2);
  switch (delivery) {
    case "whole":
      outgoing.writeHead(status, headers).end(body);
      return;
    case "cut-short":
      outgoing.writeHead(status, { ...headers, "content-length": String(half) }).end(body.subarray(0, half));
      return;
    case "hang":
      return;
    case "reset":
      outgoing.socket?.resetAndDestroy();
      return;
    case "reset-midway":
      outgoing.writeHead(status, headers).write(body.subarray(0, half), () => {
        outgoing.socket?.resetAndDestroy();
      });
      return;
    case "slow-drip":
      outgoing.writeHead(status, headers);
      for (const byte of body) {
        if (outgoing.destroyed || signal.aborted) return;
        outgoing.write(Buffer.of(byte));
        await delay(dripMs, undefined, { signal }).catch(() => {});
      }
      outgoing.end();
  }
}
