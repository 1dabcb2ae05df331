import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { eightAtOnce } from "../fuzz/eight-at-once.ts";
import { generateOperation } from "../fuzz/generated-queries.ts";
import { ask, type GraphQLReply } from "../support/ask.ts";
import type { FakeAuthentik } from "../support/fake-authentik.ts";
import { createRandom } from "../support/random.ts";
import { testSchema } from "../support/schema.ts";
import { composeSupergraph } from "./support/composition.ts";
import { CALLERS, FAILING, IDS, startHostileAuthentik } from "./support/hostile-authentik.ts";
import { labelOf, startPeers, TOP_CONNECTIONS } from "./support/peers.ts";
import { ROUTERS, type ServerProcess, startRouter } from "./support/processes.ts";
import { startSubgraph } from "./support/subgraph.ts";

const FIRST_SEED = 20_260_801;
const OPERATIONS = 200;

/** What a client can tell one answer from another by: texts and ids of requests may differ. */
type Comparable = ReturnType<typeof comparable>;

function comparable({ data = null, errors = [] }: GraphQLReply) {
  const told = errors.map(({ extensions, path = [] }) => `${extensions.code} at ${path.join(".")}`);
  return { data, errors: told.sort() };
}

describe("the same operations", () => {
  let authentik: FakeAuthentik;
  let direct: URL;
  const running = new Map<string, ServerProcess>();
  const behind = (name: string): URL => new URL(running.get(name)?.url ?? "");
  const operations = Array.from({ length: OPERATIONS }, (_, index) => {
    const seed = FIRST_SEED + index;
    const { query, variables } = generateOperation(testSchema(), createRandom(seed), {
      ids: IDS,
      forRouters: true,
    });
    return { seed, query, options: { authorization: callerOf(seed), ...(variables && { variables }) } };
  });
  /** What each seed's operation gets without a router. */
  const answers = new Map<number, Comparable>();

  beforeAll(async () => {
    authentik = await startHostileAuthentik();
    const ours = await startSubgraph("authentik", testSchema(), authentik.url);
    direct = new URL(ours.url);
    const subgraphs = [ours, ...(await startPeers())];
    const supergraphSdl = await composeSupergraph(subgraphs);
    await Promise.all(ROUTERS.map(async (name) => running.set(name, await startRouter(name, supergraphSdl))));
    return () =>
      Promise.all([...running.values(), ...subgraphs, { stop: authentik.close }].map(({ stop }) => stop()));
  });

  it(`${OPERATIONS} generated ones, seeds from ${FIRST_SEED}, fail in every way and succeed`, async () => {
    await eightAtOnce(operations, async ({ seed, query, options }) => {
      answers.set(seed, comparable(await ask(direct, query, options)));
    });
    const errors = [...answers.values()].map((answer) => answer.errors);
    const codes = errors.flat().map((error) => error.split(" ")[0]);
    expect(new Set(codes)).toEqual(new Set([...Object.values(FAILING), "BAD_USER_INPUT", "UNAUTHENTICATED"]));
    expect(errors.filter(({ length }) => length === 0).length).toBeGreaterThan(20);
  });

  it.each(ROUTERS)("give the same data, and the same errors in the same places, behind %s", async (name) => {
    expect(answers.size).toBe(OPERATIONS);
    await eightAtOnce(operations, async ({ seed, query, options }) => {
      const routed = comparable(await ask(behind(name), query, options));
      expect({ seed, query, options, ...routed }).toEqual({ seed, query, options, ...answers.get(seed) });
    });
  });

  describe.each(ROUTERS)("are joined by %s", (name) => {
    it.each<[string, string, (pk: number) => object]>([
      [
        "statistics, by the identifier, for connections that another subgraph knows the keys of",
        "topConnections(first: 4) { pk id minutesWatched label }",
        (pk: number) => ({ pk, id: String(pk), minutesWatched: pk, label: labelOfConnection(pk) }),
      ],
      [
        "people, by the number of the user, for connections that another subgraph knows the keys of",
        "topConnections(first: 4) { pk id person { pk name } }",
        (pk: number) => ({ pk, id: String(pk), person: { pk, name: `Person ${pk}` } }),
      ],
      [
        "statistics of the source for connections that another subgraph knows the keys of",
        "topConnections(first: 4) { pk source { slug plays } }",
        (pk: number) => ({ pk, source: { slug: "cinema", plays: 6 } }),
      ],
      [
        "accounts that another subgraph knows the numbers of, with who claims them here",
        "topAccounts { id minutes plexConnections { pk } }",
        (pk: number) => ({ id: identifierOf(pk), minutes: pk, plexConnections: [{ pk }] }),
      ],
    ])("%s", async (_what, query, expected) => {
      const [field = ""] = query.split(/\W/, 1);
      const { result } = await ask(behind(name), `{ ${query} }`);
      expect(result).toEqual({ data: { [field]: TOP_CONNECTIONS.map(expected) } });
    });

    it("what another subgraph provides is asked of nobody else", async () => {
      authentik.requests.length = 0;
      const { result } = await ask(behind(name), "{ recentConnections { pk identifier } }");
      const recentConnections = TOP_CONNECTIONS.map((pk) => ({ pk, identifier: identifierOf(pk) }));
      expect(result).toEqual({ data: { recentConnections } });
      // Hive Gateway's own planner asks for it all the same.
      expect(authentik.paths().length === 0).toBe(name !== "Hive Gateway");
    });

    it("from a connection to what others say of it", async () => {
      const query = "{ plexConnection(id: 1005) { label person { name } source { plays } } }";
      const { result } = await ask(behind(name), query);
      const others = { person: { name: "Person 1005" }, source: { plays: 6 } };
      expect(result).toEqual({ data: { plexConnection: { label: labelOfConnection(1005), ...others } } });
    });
  });

  // Other systems do not show which files a process has loaded.
  it.runIf(process.platform === "linux")(
    "are planned by native code where the native planner was asked for, and only there",
    () => {
      const loaded = ROUTERS.map((name) => readFileSync(`/proc/${running.get(name)?.pid}/maps`, "utf8"));
      const isNative = loaded.map((files) => files.includes("hive_router_query_planner"));
      expect(isNative).toEqual([false, false, true]);
    },
  );
});

function identifierOf(pk: number): string {
  return String(70_000_000 + pk);
}

function labelOfConnection(pk: number): string {
  return labelOf({ identifier: identifierOf(pk), user: pk });
}

/** Most as the administrator; some as somebody who sees less, with a bad token, or without any. */
function callerOf(seed: number): string | null {
  const { administrator, alice, expired, nobody } = CALLERS;
  const others = [alice, alice, expired, nobody];
  return createRandom(seed ^ 0x5e_ed).pick([...Array.from({ length: 7 }, () => administrator), ...others]);
}
