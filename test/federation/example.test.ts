import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

describe("npm run example:supergraph", () => {
  it("asks one question of a gateway, a sandbox, another subgraph and a router, and prints the answer", async () => {
    const child = spawn("npm", ["run", "--silent", "example:supergraph"], {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const [stdout, stderr, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, "exit"),
    ]);
    expect({ code, stderr }).toMatchObject({ code: 0 });
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
      const child = spawn(process.execPath, ["example/supergraph/start.mjs", "--keep"], {
        cwd: root,
        env: { ...process.env, PORT: "0" },
        stdio: ["ignore", "pipe", "inherit"],
      });
      let output = "";
      child.stdout.on("data", (chunk: Buffer) => (output += chunk));
      await expect.poll(() => output, { timeout: 60_000 }).toContain("Ctrl-C ends it.");
      const urls = [...output.matchAll(/^[\w-]+ +(http:\S+)$/gm)].map((match) => match[1] ?? "");
      expect(urls).toHaveLength(3);

      const ended = once(child, "exit");
      child.kill(signal);
      await ended;
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
