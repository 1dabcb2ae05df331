import type { ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import type { SandboxFaultName } from "./faults.ts";
import type { EncodedResponse } from "./rest-response.ts";

const dripMs = 100;

/** Sends a response, as the fault has it; what fails on purpose counts as done. */
export async function deliver(
  encoded: EncodedResponse,
  outgoing: ServerResponse,
  { fault, signal }: { fault: SandboxFaultName | null; signal: AbortSignal },
): Promise<void> {
  const { status, headers, body } = encoded;
  const half = Math.ceil(body.length / 2);
  switch (fault) {
    case "broken-json":
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
      return;
    default:
      outgoing.writeHead(status, headers).end(body);
  }
}
