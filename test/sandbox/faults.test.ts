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
    ["reset:0.1", { name: "reset", ratio: 0.1 }],
    ["error-500:.25", { name: "error-500", ratio: 0.25 }],
    ["hang:1", { name: "hang", ratio: 1 }],
  ])("%s is one", (text, expected) => {
    expect(parseSandboxFault(text)).toEqual(expected);
  });

  test.each(["", ..."nonsense toString reset: reset:0 reset:1.5 reset:-1 reset:0.1:2 reset:x".split(" ")])(
    "%j is none",
    (text) => {
      expect(parseSandboxFault(text)).toBeNull();
    },
  );

  test("hit the share of requests that they are told to, each its own, the same ones with every start", () => {
    const faults = [
      { name: "error-500", ratio: 0.2 },
      { name: "reset", ratio: 0.1 },
    ] as const;
    const hundred = (pick = createFaultPicker(faults)): (string | undefined)[] =>
      Array.from({ length: 100 }, () => pick()?.name);
    const share = (name: string | undefined): number => hundred().filter((each) => each === name).length;
    expect([share("error-500"), share("reset"), share(undefined)]).toEqual([20, 10, 70]);
    expect(hundred()).toEqual(hundred());
  });
});

const STARTING = { error: "authentik starting" };
const NO_BACKEND = { error: "failed to connect to authentik backend: authentik starting" };
const JSON_TYPE = "application/json";
const HTML = "text/html; charset=utf-8";
const TEXT = "text/plain; charset=utf-8";
const LOGIN = "/flows/-/default/authentication/?next=%2Fapi%2Fv3%2Fsources%2Fuser_connections%2Fplex%2F5%2F";

describe("responses instead of the real one", () => {
  test.each<[SandboxFaultName, SandboxRelease, number, Record<string, string>, unknown?]>([
    ["starting", "2024.2", 502, { "content-type": TEXT }, NO_BACKEND],
    ["starting", "2025.8", 502, { "content-type": TEXT }, NO_BACKEND],
    ["starting", "2025.10", 200, { "content-type": JSON_TYPE, "retry-after": "5" }, STARTING],
    ["starting", "2025.12", 200, { "content-type": JSON_TYPE, "retry-after": "5" }, STARTING],
    ["starting", "2026.8", 503, { "content-type": JSON_TYPE, "retry-after": "5" }, STARTING],
    ["bad-gateway-502", "2026.8", 502, { "content-type": JSON_TYPE }],
    ["unavailable-503", "2026.8", 503, { "content-type": HTML, "retry-after": "30" }],
    ["error-500", "2026.8", 500, { "content-type": HTML }],
    [
      "rate-limited",
      "2026.8",
      429,
      { "content-type": "application/json; charset=utf-8", "retry-after": "1" },
      { detail: "Request was throttled. Expected available in 1 second." },
    ],
    ["redirect-to-login", "2026.8", 302, { "content-type": HTML, location: LOGIN }],
    ["html-page", "2026.8", 200, { "content-type": HTML }],
  ])("%s of %s is %i", async (name, release, status, headers, body) => {
    const response = await askFaulty(name, { release });
    expect(response.status).toBe(status);
    for (const name of ["content-type", "retry-after", "location"]) {
      expect(response.headers.get(name)).toBe(headers[name] ?? null);
    }
    const text = await response.text();
    expect(body === undefined || JSON.parse(text)).toEqual(body ?? true);
  });

  test("broken JSON is as long as it says", async () => {
    const response = await askFaulty("broken-json");
    const text = await response.text();
    expect(Number(response.headers.get("content-length"))).toBe(Buffer.byteLength(text));
    expect(() => JSON.parse(text) as unknown).toThrow(SyntaxError);
  });
});

describe("connections that fail", () => {
  test("reset: no response at all", async () => {
    await expect(askFaulty("reset")).rejects.toMatchObject({ cause: { code: "ECONNRESET" } });
  });

  test("reset-midway: a response that never ends", async () => {
    const response = await askFaulty("reset-midway");
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow("terminated");
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
    expect(Number(response.headers.get("content-length"))).toBeGreaterThan(500);
    await reader?.cancel();
  });
});
