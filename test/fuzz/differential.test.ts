import { execute, parse, type ExecutionResult } from "graphql";
import { beforeAll, expect, test } from "vitest";
import { type Authentik, createAuthentik } from "../../src/authentik/client.ts";
import { formatResult } from "../../src/graphql/format.ts";
import { REFUSED } from "../entities/representations.ts";
import { sendJson } from "../support/fake-authentik.ts";
import { TEST_AUTHENTIK_OPTIONS, TEST_GATEWAY_OPTIONS, TOKEN, useGateway } from "../support/gateway.ts";
import { createRandom } from "../support/random.ts";
import { testSchema } from "../support/schema.ts";
import { connectionBody } from "../support/wire-bodies.ts";
import { eightAtOnce } from "./eight-at-once.ts";
import { generateOperation } from "./generated-queries.ts";

// The same operations over HTTP (checked, kept, coalesced) and by graphql-js' own `execute`
// on the same resolvers: every answer is the same, errors by code and path included.

const CASES = 1_000;
const PAGE = "https://page.example";
const HEADERS: readonly Readonly<Record<string, string>>[] = [
  {},
  { origin: PAGE },
  { origin: "https://other.example" },
  { "apollo-federation-include-trace": "ftv1" },
];
/** Keys from the directory, from beyond it, and ones that are none. */
const PKS = [1, 2, 3, 41, 61, 62, 63, 64, 99, 100, 101, 2_147_483_647];
const IDS = [...PKS, ...PKS.map(String), "0", "x", "05"];
const schema = testSchema();
const at = useGateway(
  beforeAll,
  {
    answer({ path }, response, fallback) {
      const pk = Number(/(\d+)\/$/.exec(path)?.[1]);
      const refusal = REFUSED[pk];
      if (refusal) sendJson(response, refusal.status, refusal.body);
      else if (pk === 41) sendJson(response, 200, connectionBody(41, { created: "no date" }));
      else fallback();
    },
  },
  // Lists hold other rows than the retrieves above answer: each key must be asked for in one way only.
  { authentik: { list: false }, gateway: { corsOrigins: [PAGE] } },
);
let authentik: Authentik;
beforeAll(() => {
  authentik = createAuthentik({ ...TEST_AUTHENTIK_OPTIONS, list: false, url: at.authentik.url });
  return () => authentik.close();
});

test(`${CASES} generated queries give what graphql-js gives, the first time, again, and beside equal ones with other headers`, async () => {
  const random = createRandom(1_999);
  const operations = Array.from({ length: CASES }, () => generateOperation(schema, random, { ids: IDS }));
  await eightAtOnce(operations, async ({ query, variables }) => {
    const expected = comparable(await direct({ query, variables }));
    // Again and again, and beside equal ones that differ in headers.
    for (const sent of [HEADERS.slice(0, 1), HEADERS, HEADERS]) {
      const replies = await Promise.all(
        sent.map((headers) => at.gateway.post(query, { variables, headers })),
      );
      for (const [index, { data, errors, headers, extensions }] of replies.entries()) {
        const { origin, "apollo-federation-include-trace": trace } = sent[index] ?? {};
        const got = comparable({ data, errors });
        expect({ query, variables, ...got }).toEqual({ query, variables, ...expected });
        expect(headers.get("access-control-allow-origin")).toBe(origin === PAGE ? PAGE : null);
        expect(extensions?.["ftv1"] !== undefined).toBe(trace !== undefined);
      }
    }
  });
}, 240_000);

async function direct({ query, variables }: { query: string; variables: Record<string, unknown> }) {
  const document = parse(query);
  const caller = { identity: authentik.identify(TOKEN), requestId: "r", maxRestCalls: 1_000 };
  const contextValue = { ...TEST_GATEWAY_OPTIONS, authentik: authentik.forCaller(caller) };
  const result = await execute({ schema, document, variableValues: variables, contextValue });
  return formatResult(result, { requestId: "r" }).result;
}

/** What a client can tell apart: the data with the order of its keys, and each error's code, message and path. */
function comparable(result: { data?: ExecutionResult["data"]; errors?: unknown }) {
  const errors = Array.isArray(result.errors) ? result.errors : [];
  const lines = errors.map(({ message, path, extensions: { code } }) =>
    JSON.stringify([path, code, message]),
  );
  return { data: JSON.stringify(result.data ?? null), errors: lines.sort() };
}
