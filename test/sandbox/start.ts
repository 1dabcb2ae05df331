import { onTestFinished } from "vitest";
import { createSandbox, type Sandbox, type SandboxOptions } from "../../src/sandbox/sandbox.ts";

export const connections = "/sources/user_connections/plex/";

interface Asked {
  status: number;
  /** Text where it is no JSON. */
  body: unknown;
}

export interface StartedSandbox extends Sandbox {
  /** Asks below `/api/v3`, as the administrator unless told otherwise; null: without a token. */
  ask: (path: string, options?: { token?: string | null; method?: string }) => Promise<Asked>;
  /** The rows of a list. */
  rows: (path: string, options?: { token?: string }) => Promise<Record<string, unknown>[]>;
}

/** A sandbox that the end of the test closes. */
export async function startSandbox(options: SandboxOptions = {}): Promise<StartedSandbox> {
  const sandbox = await createSandbox(options);
  onTestFinished(() => sandbox.close());
  const ask: StartedSandbox["ask"] = async (
    path,
    { token = sandbox.tokens.administrator.token, method = "GET" } = {},
  ) => {
    const headers = { accept: "application/json", ...(token && { authorization: `Bearer ${token}` }) };
    const response = await fetch(new URL(`/api/v3${path}`, sandbox.url), { method, headers });
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.startsWith("application/json") === true;
    return { status: response.status, body: isJson ? (JSON.parse(text) as unknown) : text };
  };
  return {
    ...sandbox,
    ask,
    rows: async (path, options) =>
      ((await ask(path, options)).body as { results: Record<string, unknown>[] }).results,
  };
}
