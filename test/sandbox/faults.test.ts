import { expect, test } from "vitest";
import { parseSandboxFault, type SandboxFaultName } from "../../src/sandbox/faults.ts";
import type { SandboxRelease } from "../../src/sandbox/releases.ts";
import { connections, startSandbox } from "./start.ts";

async function askFaulty(
  name: SandboxFaultName,
  release: SandboxRelease = "2026.8",
  init: RequestInit = {},
): Promise<Response> {
  const sandbox = await startSandbox({ release, faults: [{ name, ratio: 1 }] });
  const authorization = `Bearer ${sandbox.tokens.owner.token}`;
  const url = new URL(`/api/v3${connections}5/`, sandbox.url);
  return fetch(url, { redirect: "manual", headers: { authorization }, ...init });
}

test.each([
  ["reset", { name: "reset", ratio: 1 }],
  ["error-500:.25", { name: "error-500", ratio: 0.25 }],
  ["toString", null],
  ["reset:0", null],
  ["reset:1.5", null],
  ["reset:0.1:2", null],
])("the switch %s is %j", (text, expected) => {
  expect(parseSandboxFault(text)).toEqual(expected);
});

test.each<[SandboxFaultName, SandboxRelease, number, RegExp]>([
  ["starting", "2025.8", 502, /^{"error":"failed to connect to authentik backend: authentik starting"}$/],
  ["starting", "2026.8", 503, /^{"error":"authentik starting"}$/],
  ["error-500", "2026.8", 500, /<h1>Server Error/],
  ["rate-limited", "2026.8", 429, /^{"detail":"Request was throttled/],
  ["redirect-to-login", "2026.8", 302, /^$/],
])("%s of %s is %i", async (name, release, status, text) => {
  const response = await askFaulty(name, release);
  expect([response.status, await response.text()]).toEqual([status, expect.stringMatching(text)]);
});

test("connections fail: broken JSON, a reset, one in the middle of a response, and nothing at all", async () => {
  await expect((await askFaulty("broken-json")).json()).rejects.toThrow(SyntaxError);
  await expect(askFaulty("reset")).rejects.toMatchObject({ cause: { code: "ECONNRESET" } });
  await expect((await askFaulty("reset-midway")).text()).rejects.toThrow("terminated");
  const signal = AbortSignal.timeout(100);
  await expect(askFaulty("hang", "2026.8", { signal })).rejects.toThrow("timeout");
});
