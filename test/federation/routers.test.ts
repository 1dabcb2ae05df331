import { beforeAll, describe, expect, test } from "vitest";
import { eightAtOnce } from "../fuzz/eight-at-once.ts";
import { generateOperation } from "../fuzz/generated-queries.ts";
import { ask, type GraphQLReply } from "../support/ask.ts";
import { createRandom } from "../support/random.ts";
import { testSchema } from "../support/schema.ts";
import { composeSupergraph } from "./support/composition.ts";
import { callerOf, IDS, startHostileAuthentik } from "./support/hostile-authentik.ts";
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
  const behind = new Map<string, string>();
  const operations = Array.from({ length: OPERATIONS }, (_, index) => {
    const seed = FIRST_SEED + index;
    const ids = { ids: IDS, forRouters: true };
    const { query, variables } = generateOperation(testSchema(), createRandom(seed), ids);
    return { seed, query, options: { authorization: callerOf(seed), ...(variables && { variables }) } };
  });
  /** What each seed's operation gets without a router. */
  const answers = new Map<number, ReturnType<typeof comparable>>();

  beforeAll(async () => {
    const authentik = await startHostileAuthentik();
    const ours = await startSubgraph("authentik", testSchema(), authentik.url);
    const direct = new URL(ours.url);
    await eightAtOnce(operations, async ({ seed, query, options }) => {
      answers.set(seed, comparable(await ask(direct, query, options)));
    });
    const subgraphs = [ours, ...(await startPeers())];
    const supergraphSdl = await composeSupergraph(subgraphs);
    const routers = await Promise.all(ROUTERS.map((name) => startRouter(name, supergraphSdl)));
    ROUTERS.forEach((name, index) => behind.set(name, routers[index]?.url ?? ""));
    return () => Promise.all([...routers, ...subgraphs, { stop: authentik.close }].map(({ stop }) => stop()));
  });

  describe.each(ROUTERS)("behind %s", (name) => {
    let url: URL;
    beforeAll(() => {
      url = new URL(behind.get(name) ?? "");
    });

    test(`give the same data, and the same errors in the same places: ${OPERATIONS} from seed ${FIRST_SEED}`, async () => {
      await eightAtOnce(operations, async ({ seed, query, options }) => {
        const routed = comparable(await ask(url, query, options));
        expect({ seed, query, options, ...routed }).toEqual({ seed, query, options, ...answers.get(seed) });
      });
    });

    test.each<[string, string, object]>([
      [
        "connections that another subgraph knows the keys of, by number, account, user and source",
        "topConnections(first: 4) { pk minutesWatched label person { name } source { plays } }",
        { topConnections: TOP_CONNECTIONS.map((pk) => ({ pk, minutesWatched: pk, ...joined(pk) })) },
      ],
      [
        "accounts that another subgraph knows the numbers of, with who claims them here",
        "topAccounts { id minutes plexConnections { pk } }",
        {
          topAccounts: TOP_CONNECTIONS.map((pk) => ({
            id: identifierOf(pk),
            minutes: pk,
            plexConnections: [{ pk }],
          })),
        },
      ],
    ])("are joined: %s", async (_what, query, data) => {
      expect((await ask(url, `{ ${query} }`)).result).toEqual({ data });
    });
  });
});

function identifierOf(pk: number): string {
  return String(70_000_000 + pk);
}

/** What the others say of a connection. */
function joined(pk: number) {
  const label = labelOf({ identifier: identifierOf(pk), user: pk });
  return { label, person: { name: `Person ${pk}` }, source: { plays: 6 } };
}
