import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { startNode } from "../process/cli.ts";

describe("npm run example:supergraph", () => {
  it("asks one question of a gateway, a sandbox, another subgraph and a router, and prints the answer", async () => {
    const { stdout } = await promisify(execFile)("npm", ["run", "--silent", "example:supergraph"]);
    expect(stdout).toContain("query WhoWatchedMost {");
    const printed: unknown = JSON.parse(stdout.slice(stdout.indexOf("\n{\n")));
    expect(printed).toEqual({
      data: {
        mostActive: [
          {
            id: "12345678",
            watchStatistics: { plays: 212, minutes: 15_360, favourite: "The Third Man" },
            plexConnections: [
              { source: { name: "Plex" }, owner: { username: "alice" } },
              { source: { name: "Cinéma du coin 🎬" }, owner: { username: "alice" } },
            ],
          },
          {
            id: "87654321",
            watchStatistics: { plays: 48, minutes: 5_085, favourite: "Playtime" },
            plexConnections: [
              { source: { name: "Plex" }, owner: { username: "bob" } },
              { source: { name: "Neighbourhood" }, owner: { username: "viewer124" } },
            ],
          },
          {
            id: "424242",
            watchStatistics: { plays: 7, minutes: 630, favourite: "Stalker" },
            plexConnections: [{ source: { name: "Studio" }, owner: { username: "carol" } }],
          },
        ],
        plexConnection: { account: { watchStatistics: { minutes: 15_360 } } },
      },
    });
  });

  // What npm hands on to a script that is run with exec: process/npm-scripts.test.ts.
  it.concurrent.for(["SIGTERM", "SIGINT"] as const)(
    "with --keep leaves nothing running after %s",
    async (signal, { expect }) => {
      // Apollo Server, left alone, ends the process at a signal unless this is a test.
      const env = { HOME: process.env["HOME"] ?? "", PORT: "0", NODE_ENV: "production" };
      const { printed, stdout, kill, exited } = startNode(["example/supergraph/start.mjs", "--keep"], {
        env,
      });
      await printed(/Ctrl-C ends it\./);
      const urls = [...stdout().matchAll(/^[\w-]+ +(http:\S+)$/gm)].map(([, url = ""]) => url);
      expect(urls).toHaveLength(3);
      kill(signal);
      await exited;
      for (const url of urls) await expect.poll(() => answers(url), { timeout: 10_000 }).toBe(false);
    },
  );
});

function answers(url: string): Promise<boolean> {
  return fetch(url, { method: "HEAD" }).then(
    () => true,
    () => false,
  );
}
