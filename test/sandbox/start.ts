import { onTestFinished } from "vitest";
import { createSandbox, type SandboxOptions } from "../../src/sandbox/sandbox.ts";

export const connections = "/sources/user_connections/plex/";

/** A sandbox that the end of the test closes. */
export async function startSandbox(options: SandboxOptions = {}) {
  const sandbox = await createSandbox(options);
  onTestFinished(() => sandbox.close());
  const { administrator } = sandbox.tokens;

  /** Asks below `/api/v3`, as the administrator unless told otherwise; null: without a token. */
  async function ask(
    path: string,
    { token = administrator.token, method = "GET" }: { token?: string | null; method?: string } = {},
  ) {
    const headers = { accept: "application/json", ...(token && { authorization: `Bearer ${token}` }) };
    const response = await fetch(new URL(`/api/v3${path}`, sandbox.url), { method, headers });
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.startsWith("application/json") === true;
    return { status: response.status, body: isJson ? (JSON.parse(text) as unknown) : text };
  }

  return { ...sandbox, ask };
}
