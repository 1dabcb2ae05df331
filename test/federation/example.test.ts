import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { startNode } from "../process/cli.ts";

const linked = (source: string, username: string) => ({ source: { name: source }, owner: { username } });

describe("npm run example:supergraph", () => {
  test("asks one question of a gateway, a sandbox, another subgraph and a router, and prints the answer", async () => {
    const { stdout } = await promisify(execFile)("npm", ["run", "--silent", "example:supergraph"]);
    expect(stdout).toContain("query WhoWatchedMost {");
    const printed: unknown = JSON.parse(stdout.slice(stdout.indexOf("\n{\n")));
    expect(printed).toMatchObject({
      data: {
        mostActive: [
          {
            id: "12345678",
            watchStatistics: { plays: 212, minutes: 15_360, favourite: "The Third Man" },
            plexConnections: [linked("Plex", "alice"), linked("Cinéma du coin 🎬", "alice")],
          },
          { id: "87654321" },
          { id: "424242" },
        ],
        plexConnection: { account: { watchStatistics: { minutes: 15_360 } } },
      },
    });
  });

  // What npm hands on to a script that is run with exec: process/shutdown.test.ts.
  test.each(["SIGTERM", "SIGINT"] as const)("with --keep leaves nothing running after %s", async (signal) => {
    // Apollo Server, left alone, ends the process at a signal unless this is a test.
    const env = { HOME: process.env["HOME"] ?? "", PORT: "0", NODE_ENV: "production" };
    const example = startNode(["example/supergraph/start.mjs", "--keep"], { env });
    await example.printed(/Ctrl-C ends it\./);
    const urls = [...example.stdout().matchAll(/^[\w-]+ +(http:\S+)$/gm)].map(([, url = ""]) => url);
    expect(urls).toHaveLength(3);
    example.kill(signal);
    await example.exited;
    for (const url of urls) await expect(fetch(url)).rejects.toThrow("fetch failed");
  });
});
