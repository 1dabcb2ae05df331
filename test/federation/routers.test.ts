import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createSchema, FEDERATION_LINK_URL } from "../../src/graphql/schema.ts";
import type { FakeAuthentik } from "../support/fake-authentik.ts";
import { type Comparable, comparable, send } from "./support/compare.ts";
import { composeSupergraph } from "./support/composition.ts";
import { eightAtOnce } from "../fuzz/eight-at-once.ts";
import { generateOperation } from "../fuzz/generated-queries.ts";
import { CALLERS, FAILING, IDS, startHostileAuthentik } from "./support/hostile-authentik.ts";
import { createAccountsSchema, createStatisticsSchema, labelOf, TOP_CONNECTIONS } from "./support/peers.ts";
import type { ServerProcess } from "./support/processes.ts";
import { createRandom } from "../support/random.ts";
import { type RouterName, routers, startRouter } from "./support/routers.ts";
import { type RunningSubgraph, startSubgraph } from "./support/subgraph.ts";

const ROUTERS = Object.keys(routers) as RouterName[]; // the keys are exactly these
const FIRST_SEED = 20_260_801;
const OPERATIONS = 200;

describe("the same operations", () => {
  let authentik: FakeAuthentik;
  let ours: RunningSubgraph;
  let peers: RunningSubgraph[];
  const running = new Map<RouterName, ServerProcess>();
  const schema = createSchema({ federationLinkUrl: FEDERATION_LINK_URL });
  const operations = Array.from({ length: OPERATIONS }, (_, index) => {
    const seed = FIRST_SEED + index;
    const operation = generateOperation(schema, createRandom(seed), { ids: IDS, forRouters: true });
    return { seed, caller: callerOf(seed), ...operation };
  });
  /** What each seed's operation gets without a router. */
  const direct = new Map<number, Comparable>();

  beforeAll(async () => {
    authentik = await startHostileAuthentik();
    ours = await startSubgraph(schema, { authentikUrl: authentik.url });
    peers = await Promise.all(
      [await createStatisticsSchema(), await createAccountsSchema()].map((schema) => startSubgraph(schema)),
    );
    const named = ["watch-statistics", "user-accounts"];
    const supergraphSdl = await composeSupergraph([
      { name: "authentik", url: ours.url, sdl: await ours.sdl() },
      ...(await Promise.all(
        peers.map(async (peer, index) => ({
          name: named[index] ?? "",
          url: peer.url,
          sdl: await peer.sdl(),
        })),
      )),
    ]);
    await Promise.all(ROUTERS.map(async (name) => running.set(name, await startRouter(name, supergraphSdl))));
  });

  afterAll(async () => {
    await Promise.all([...running.values(), ours, ...(peers ?? [])].map((server) => server?.stop()));
    await authentik?.close();
  });

  it(`${OPERATIONS} generated ones, seeds from ${FIRST_SEED}, fail in every way and succeed`, async () => {
    await eightAtOnce(operations, async ({ seed, caller, ...operation }) => {
      direct.set(seed, comparable(await send(ours.url, operation, caller)));
    });
    const codes = [...direct.values()].flatMap(({ errors }) => errors.map((error) => error.split(" ")[0]));
    expect(new Set(codes)).toEqual(new Set([...Object.values(FAILING), "BAD_USER_INPUT", "UNAUTHENTICATED"]));
    expect([...direct.values()].filter(({ errors }) => errors.length === 0).length).toBeGreaterThan(20);
  });

  it.each(ROUTERS)("give the same data, and the same errors in the same places, behind %s", async (name) => {
    expect(direct.size).toBe(OPERATIONS);
    await eightAtOnce(operations, async ({ seed, caller, ...operation }) => {
      const routed = comparable(await send(running.get(name)?.url ?? "", operation, caller));
      expect({ seed, operation, ...routed }).toEqual({ seed, operation, ...direct.get(seed) });
    });
  });

  describe.each(ROUTERS)("are joined by %s", (name) => {
    const ask = (query: string): Promise<unknown> =>
      send(running.get(name)?.url ?? "", { query }, CALLERS.administrator);

    it.each([
      ["statistics by the identifier", "minutesWatched label"],
      ["people by the number of the user", "person { pk name }"],
      ["statistics of the source", "source { slug plays }"],
    ])("for connections that another subgraph knows the keys of: %s", async (_what, selection) => {
      const answer = await ask(`{ topConnections(first: 4) { pk id ${selection} } }`);
      const topConnections = TOP_CONNECTIONS.map((pk): object => ({
        pk,
        id: String(pk),
        ...(selection.includes("label") ? { minutesWatched: pk, label: labelOfConnection(pk) } : {}),
        ...(selection.includes("person") ? { person: { pk: 1000 + pk, name: `Person ${1000 + pk}` } } : {}),
        ...(selection.includes("source") ? { source: { slug: "plex", plays: 4 } } : {}),
      }));
      expect(answer).toEqual({ data: { topConnections } });
    });

    it("accounts that another subgraph knows the numbers of, with who claims them here", async () => {
      const answer = await ask("{ topAccounts { id minutes plexConnections { pk } } }");
      expect(answer).toEqual({
        data: {
          topAccounts: TOP_CONNECTIONS.map((pk) => ({
            id: String(70_000_000 + pk),
            minutes: pk,
            plexConnections: [{ pk }],
          })),
        },
      });
    });

    it("what another subgraph provides is asked of nobody else", async () => {
      authentik.requests.length = 0;
      const answer = await ask("{ recentConnections { pk identifier } }");
      expect(answer).toEqual({
        data: {
          recentConnections: TOP_CONNECTIONS.map((pk) => ({ pk, identifier: String(70_000_000 + pk) })),
        },
      });
      // Hive Gateway's own planner asks for it all the same.
      expect(authentik.paths().length === 0).toBe(name !== "Hive Gateway");
    });

    it("from a connection to what others say of it", async () => {
      const answer = await ask(`{ plexConnection(id: 5) { label person { name } source { plays } } }`);
      const plexConnection = {
        label: labelOfConnection(5),
        person: { name: "Person 1005" },
        source: { plays: 4 },
      };
      expect(answer).toEqual({ data: { plexConnection } });
    });
  });

  // Other systems do not show which files a process has loaded.
  it.runIf(process.platform === "linux")(
    "are planned by native code where the native planner was asked for, and only there",
    () => {
      const loaded = ROUTERS.map((name) => readFileSync(`/proc/${running.get(name)?.pid}/maps`, "utf8"));
      expect(loaded.map((files) => files.includes("hive_router_query_planner"))).toEqual([
        false,
        false,
        true,
      ]);
    },
  );
});

function labelOfConnection(pk: number): string {
  return labelOf({ identifier: String(70_000_000 + pk), user: 1000 + pk });
}

/** Most as the administrator; some as somebody who sees less, with a bad token, or without any. */
function callerOf(seed: number): string | null {
  return createRandom(seed ^ 0x5e_ed).pick([
    ...Array.from({ length: 7 }, () => CALLERS.administrator),
    CALLERS.alice,
    CALLERS.alice,
    CALLERS.expired,
    CALLERS.nobody,
  ]);
}
