// The product as its users start it: without AUTHENTIK_URL it brings a sandbox of authentik along.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../../dist/main.js", import.meta.url));

/** Starts the gateway on a free port, in front of the embedded sandbox. */
export async function startGateway() {
  const child = spawn(process.execPath, [main, "serve", "--port", "0"], {
    env: { PATH: process.env.PATH, HOME: process.env.HOME },
    stdio: ["ignore", "pipe", "pipe"],
  });
  return {
    url: await printedUrl(child),
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, "exit");
      child.kill("SIGTERM");
      await exited;
    },
  };
}

function printedUrl(child) {
  let printed = "";
  let found = false;
  return new Promise((resolve, reject) => {
    const read = (chunk) => {
      if (found) return;
      printed += chunk;
      const url = /http:\/\/[^\s"]+\/graphql/.exec(printed)?.[0];
      found = url !== undefined;
      if (found) resolve(url);
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.once("exit", (code) => reject(new Error(`the gateway ended with ${code}:\n${printed}`)));
  });
}
