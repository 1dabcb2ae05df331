import { afterEach, describe, expect, test } from "vitest";
import {
  createFaultPicker,
  parseSandboxFault,
  SANDBOX_FAULTS,
  type SandboxFaultName,
} from "../../src/sandbox/faults.ts";
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

  test.each([
    "",
    "nonsense",
    "toString",
    "reset:",
    "reset:0",
    "reset:1.5",
    "reset:-1",
    "reset:0.1:2",
    "reset:x",
  ])("%j is none", (text) => {
    expect(parseSandboxFault(text)).toBeNull();
  });

  test("each says what it does", () => {
    for (const { meaning } of Object.values(SANDBOX_FAULTS)) expect(meaning).toMatch(/^[a-z].{10,}[^.]$/);
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
    expect(hundred()).toEqual(hundred());
  });
});

describe("while authentik starts", () => {
  test.each([
    [
      "2024.2",
      502,
      null,
      "text/plain; charset=utf-8",
      "failed to connect to authentik backend: authentik starting",
    ],
    [
      "2025.8",
      502,
      null,
      "text/plain; charset=utf-8",
      "failed to connect to authentik backend: authentik starting",
    ],
    ["2025.10", 200, "5", "application/json", "authentik starting"],
    ["2025.12", 200, "5", "application/json", "authentik starting"],
    ["2026.8", 503, "5", "application/json", "authentik starting"],
  ] as const)("%s answers %i", async (release, status, retryAfter, type, error) => {
    const response = await askFaulty("starting", { release });
    expect(response.status).toBe(status);
    expect(response.headers.get("retry-after")).toBe(retryAfter);
    expect(response.headers.get("content-type")).toBe(type);
    expect(await response.json()).toEqual({ error });
  });
});

describe("responses instead of the real one", () => {
  test.each([
    ["bad-gateway-502", 502, "application/json"],
    ["unavailable-503", 503, "text/html; charset=utf-8"],
    ["error-500", 500, "text/html; charset=utf-8"],
    ["rate-limited", 429, "application/json; charset=utf-8"],
    ["redirect-to-login", 302, "text/html; charset=utf-8"],
    ["html-page", 200, "text/html; charset=utf-8"],
  ] as const)("%s is %i", async (name, status, type) => {
    const response = await askFaulty(name);
    expect(response.status).toBe(status);
    expect(response.headers.get("content-type")).toBe(type);
  });

  test("a rate limit says when to come back", async () => {
    const response = await askFaulty("rate-limited");
    expect(response.headers.get("retry-after")).toBe("1");
    expect(await response.json()).toEqual({
      detail: "Request was throttled. Expected available in 1 second.",
    });
  });

  test("a login page is told where to return to", async () => {
    const response = await askFaulty("redirect-to-login");
    expect(response.headers.get("location")).toBe(
      "/flows/-/default/authentication/?next=%2Fapi%2Fv3%2Fsources%2Fuser_connections%2Fplex%2F5%2F",
    );
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
