import { beforeAll, describe, expect, test } from "vitest";
import { eightAtOnce } from "../fuzz/eight-at-once.ts";
import { generateOperation } from "../fuzz/generated-queries.ts";
import { ask, type GraphQLReply } from "../support/ask.ts";
import type { FakeAuthentik } from "../support/fake-authentik.ts";
import { createRandom } from "../support/random.ts";
import { testSchema } from "../support/schema.ts";
import { composeSupergraph } from "./support/composition.ts";
import { callerOf, FAILING, IDS, startHostileAuthentik } from "./support/hostile-authentik.ts";
import { labelOf, startPeers, TOP_CONNECTIONS } from "./support/peers.ts";
import { ROUTERS, startRouter } from "./support/processes.ts";
import { startSubgraph } from "./support/subgraph.ts";

const FIRST_SEED = 20_260_801;
const OPERATIONS = 200;

/** What a client can tell one answer from another by: texts and ids of requests may differ. */
function comparable({ data = null, errors = [] }: GraphQLReply) {
  const told = errors.map(({ extensions, path = [] }) => `${extensions.code} at ${path.join(".")}`);
  return { data, errors: told.sort() };
}

describe("the same operations", () => {
  let authentik: FakeAuthentik;
  let direct: URL;
  const behind = new Map<string, URL>();
  const operations = Array.from({ length: OPERATIONS }, (_, index) => {
    const seed = FIRST_SEED + index;
    const ids = { ids: IDS, forRouters: true };
    const { query, variables } = generateOperation(testSchema(), createRandom(seed), ids);
    return { seed, query, options: { authorization: callerOf(seed), ...(variables && { variables }) } };
  });
  /** What each seed's operation gets without a router. */
  const answers = new Map<number, ReturnType<typeof comparable>>();

  beforeAll(async () => {
    authentik = await startHostileAuthentik();
    const ours = await startSubgraph("authentik", testSchema(), authentik.url);
    direct = new URL(ours.url);
    const subgraphs = [ours, ...(await startPeers())];
    const supergraphSdl = await composeSupergraph(subgraphs);
    const routers = await Promise.all(ROUTERS.map((name) => startRouter(name, supergraphSdl)));
    ROUTERS.forEach((name, index) => behind.set(name, new URL(routers[index]?.url ?? "")));
    return () => Promise.all([...routers, ...subgraphs, { stop: authentik.close }].map(({ stop }) => stop()));
  });

  test(`${OPERATIONS} generated ones, seeds from ${FIRST_SEED}, fail in every way and succeed`, async () => {
    await eightAtOnce(operations, async ({ seed, query, options }) => {
      answers.set(seed, comparable(await ask(direct, query, options)));
    });
    const errors = [...answers.values()].map((answer) => answer.errors);
    const codes = errors.flat().map((error) => error.split(" ")[0]);
    expect(new Set(codes)).toEqual(new Set([...Object.values(FAILING), "BAD_USER_INPUT", "UNAUTHENTICATED"]));
    expect(errors.filter(({ length }) => length === 0).length).toBeGreaterThan(20);
  });

  describe.each(ROUTERS)("behind %s", (name) => {
    const askRouter = async (query: string) => (await ask(behind.get(name) ?? direct, query)).result;

    test("give the same data, and the same errors in the same places", async () => {
      expect(answers.size).toBe(OPERATIONS);
      const url = behind.get(name) ?? direct;
      await eightAtOnce(operations, async ({ seed, query, options }) => {
        const routed = comparable(await ask(url, query, options));
        expect({ seed, query, options, ...routed }).toEqual({ seed, query, options, ...answers.get(seed) });
      });
    });

    test.each<[string, string, (pk: number) => object]>([
      [
        "connections that another subgraph knows the keys of, by number, account, user and source",
        "topConnections(first: 4) { pk minutesWatched label person { name } source { plays } }",
        (pk) => ({ pk, minutesWatched: pk, label: labelOfConnection(pk), person: personOf(pk), source }),
      ],
      [
        "accounts that another subgraph knows the numbers of, with who claims them here",
        "topAccounts { id minutes plexConnections { pk } }",
        (pk) => ({ id: identifierOf(pk), minutes: pk, plexConnections: [{ pk }] }),
      ],
    ])("are joined: %s", async (_what, query, expected) => {
      const [field = ""] = query.split(/\W/, 1);
      expect(await askRouter(`{ ${query} }`)).toEqual({ data: { [field]: TOP_CONNECTIONS.map(expected) } });
    });

    test("are joined: a connection with what others say of it", async () => {
      const query = "{ plexConnection(id: 1005) { label person { name } source { plays } } }";
      const plexConnection = { label: labelOfConnection(1005), person: personOf(1005), source };
      expect(await askRouter(query)).toEqual({ data: { plexConnection } });
    });
  });
});

const source = { plays: 6 };

const personOf = (pk: number) => ({ name: `Person ${pk}` });

const identifierOf = (pk: number): string => String(70_000_000 + pk);

const labelOfConnection = (pk: number): string => labelOf({ identifier: identifierOf(pk), user: pk });
