import { afterEach, describe, expect, test } from "vitest";
import { createFaultPicker, parseSandboxFault, type SandboxFaultName } from "../../src/sandbox/faults.ts";
import type { SandboxRelease } from "../../src/sandbox/releases.ts";
import { createSandbox, type Sandbox, type SandboxOptions } from "../../src/sandbox/sandbox.ts";

let sandbox: Sandbox | undefined;
afterEach(() => sandbox?.close());

async function askFaulty(name: SandboxFaultName, options: SandboxOptions = {}): Promise<Response> {
  sandbox = await createSandbox({ ...options, faults: [{ name, ratio: 1 }] });
  return ask(sandbox);
}

function ask({ url, tokens }: Sandbox, init: RequestInit = {}): Promise<Response> {
  return fetch(new URL("/api/v3/sources/user_connections/plex/5/", url), {
    redirect: "manual",
    headers: { accept: "application/json", authorization: `Bearer ${tokens.owner.token}` },
    ...init,
  });
}

describe("the switches", () => {
  test.each([
    ["reset", { name: "reset", ratio: 1 }],
    ["error-500:.25", { name: "error-500", ratio: 0.25 }],
    ["toString", null],
    ["reset:0", null],
    ["reset:1.5", null],
    ["reset:0.1:2", null],
  ])("%s is %j", (text, expected) => {
    expect(parseSandboxFault(text)).toEqual(expected);
  });

  test("hit the share of requests that they are told to, each its own, the same ones with every start", () => {
    const faults = [
      { name: "error-500", ratio: 0.2 },
      { name: "reset", ratio: 0.1 },
    ] as const;
    const hundred = (pick = createFaultPicker(faults)): (string | undefined)[] =>
      Array.from({ length: 100 }, () => pick()?.name);
    const share = (name: string | undefined): number => hundred().filter((each) => each === name).length;
    expect([share("error-500"), share("reset"), share(undefined)]).toEqual([20, 10, 70]);
  });
});

const STARTING = /^{"error":"authentik starting"}$/;

describe("responses instead of the real one", () => {
  test.each<[SandboxFaultName, SandboxRelease, number, RegExp]>([
    ["starting", "2025.8", 502, /^{"error":"failed to connect to authentik backend: authentik starting"}$/],
    ["starting", "2025.12", 200, STARTING],
    ["starting", "2026.8", 503, STARTING],
    ["bad-gateway-502", "2026.8", 502, /^{"error":/],
    ["unavailable-503", "2026.8", 503, /<h1>/],
    ["error-500", "2026.8", 500, /<h1>/],
    ["rate-limited", "2026.8", 429, /^{"detail":"Request was throttled/],
    ["redirect-to-login", "2026.8", 302, /^$/],
    ["html-page", "2026.8", 200, /<h1>/],
  ])("%s of %s is %i", async (name, release, status, text) => {
    const response = await askFaulty(name, { release });
    expect([response.status, await response.text()]).toEqual([status, expect.stringMatching(text)]);
  });

  test("broken JSON", async () => {
    await expect((await askFaulty("broken-json")).json()).rejects.toThrow(SyntaxError);
  });
});

describe("connections that fail", () => {
  test("reset: no response at all", async () => {
    await expect(askFaulty("reset")).rejects.toMatchObject({ cause: { code: "ECONNRESET" } });
  });

  test("reset-midway: a response that never ends", async () => {
    await expect((await askFaulty("reset-midway")).text()).rejects.toThrow("terminated");
  });

  test("hang: nothing comes, and closing does not wait for it", async () => {
    sandbox = await createSandbox({ faults: [{ name: "hang", ratio: 1 }] });
    await expect(ask(sandbox, { signal: AbortSignal.timeout(100) })).rejects.toThrow("timeout");
    const hanging = ask(sandbox).catch((error: unknown) => error);
    await sandbox.close();
    expect(await hanging).toBeInstanceOf(TypeError);
  });

  test("slow-drip: the response comes byte by byte", async () => {
    const response = await askFaulty("slow-drip");
    const reader = response.body?.getReader();
    const first = await reader?.read();
    expect(first?.value?.length).toBeLessThan(20);
    await reader?.cancel();
  });
});
