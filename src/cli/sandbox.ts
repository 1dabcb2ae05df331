import type { Config } from "../config.ts";
import { createSandbox, type Sandbox } from "../sandbox/sandbox.ts";
import { baseUrl } from "./banner.ts";
import type { ProcessContext } from "./context.ts";
import { listenFailure, StartFailure } from "./start-failure.ts";
import type { RunningSandbox } from "./serving.ts";
import { onEndSignals } from "./signals.ts";

/** Starts the stand-in for authentik that `serve` uses, for this machine only. @throws {StartFailure} */
export async function startEmbeddedSandbox({ sandbox }: Config): Promise<RunningSandbox> {
  const { url, release, tokens } = await startSandbox({ ...sandbox, host: "127.0.0.1" });
  return { url: url.origin, release, token: tokens.administrator.token };
}

/** `sandbox`: the stand-in alone, where `HOST` and `SANDBOX_PORT` say. Resolves with the exit code when it is over. */
export async function runSandbox({ sandbox, host }: Config, context: ProcessContext): Promise<number> {
  try {
    const running = await startSandbox({ ...sandbox, host });
    context.print(sandboxBanner(running, baseUrl(host, Number(running.url.port))));
    await new Promise<void>((end) => onEndSignals(context.events, { first: () => end(), again: () => {} }));
    await running.close();
    return 0;
  } catch (error) {
    if (!(error instanceof StartFailure)) throw error;
    context.printError(`${error.message}\n`);
    return 1;
  }
}

async function startSandbox(options: Config["sandbox"] & { host: string }): Promise<Sandbox> {
  try {
    return await createSandbox(options);
  } catch (error) {
    throw listenFailure(error, { ...options, flag: "--sandbox-port" });
  }
}

function sandboxBanner({ release, tokens }: Sandbox, base: string): string {
  const lines = Object.values(tokens).map(({ token, meaning }) => `  ${token.padEnd(24)}${meaning}\n`);
  return `Sandbox: ${base}

It answers as authentik ${release} does, with made-up data, to these bearer tokens:

${lines.join("")}
  curl ${base}/api/v3/sources/user_connections/plex/5/ -H 'Authorization: Bearer ${tokens.administrator.token}'
  AUTHENTIK_URL=${base} npm start
`;
}
