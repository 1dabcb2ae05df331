import * as fc from "fast-check";
import { beforeAll, expect, test, vi } from "vitest";
import { askBody, type GraphQLReply } from "../support/ask.ts";
import { useGateway } from "../support/gateway.ts";

// Whatever is sent, and whatever authentik says: the answer is one of GraphQL over HTTP, and tells nothing of the inside.

/** For nights: `FUZZ_MINUTES=60 npm run test:long`. */
const MINUTES = Number(process.env["FUZZ_MINUTES"] ?? 0);
vi.setConfig({ testTimeout: 120_000 + MINUTES * 60_000 });
const TOKEN = "Bearer token-of-fuzz";
const LEAKS = /node_modules|\bat [^ ]+ \(|\.[jt]s:\d+|undici|UND_ERR|ECONN|HPE_|token-of-fuzz|127\.0\.0\.1/;
const code: unknown = expect.stringMatching(/^(?!INTERNAL_SERVER_ERROR$)/);
const ERROR = { message: expect.any(String), extensions: { code, requestId: expect.any(String) } };

// Random answers look like an outage; what is tested here is how each is read.
const at = useGateway(beforeAll, {}, { authentik: { retry: false } });

function check({ status, text, data, errors }: GraphQLReply): void {
  expect([200, 400]).toContain(status);
  expect(text).not.toMatch(LEAKS);
  if (errors === undefined) expect(data).toBeDefined();
  else expect(errors).not.toEqual([]);
  for (const error of errors ?? []) expect(error).toMatchObject(ERROR);
}

const json = fc.jsonValue();
const some = { requiredKeys: [] };
const WORDS =
  "{ } ( ) [ ] : ! $ @ & | = ... query mutation subscription fragment on null true false plexConnection _entities " +
  "__schema __typename representations id pk source PlexSourceConnection Source _Any ID $id @include @skip if 1 -0 1e9 " +
  '__proto__ constructor name fields type user a F , \ufeff "5" """x""" "\\u0000" #c\n';
const word = fc.constantFrom(...WORDS.split(" "));
const document = fc.array(word, { maxLength: 60 }).map((words) => words.join(" "));
const parameters = fc.record(
  {
    query: fc.oneof(document, document, fc.string(), json, fc.constant("{__typename}")),
    variables: json,
    operationName: fc.oneof(fc.string(), json),
    extensions: fc.oneof(json, fc.record({ persistedQuery: json })),
    ["__proto__"]: json,
  },
  some,
);
const typename = fc.oneof(fc.constantFrom("PlexSourceConnection", "Source", "Query", "__proto__"), json);
const pk = fc.oneof(json, fc.integer(), fc.uuid());
const id = fc.oneof(fc.integer().map(String), fc.string());
const representation = fc.record({ __typename: typename, pk, id }, some);
const ENTITIES =
  "query($r:[_Any!]!){_entities(representations:$r){__typename ...on PlexSourceConnection{pk user source{name}}...on Source{name}}}";
const upstreamResponse = fc.record({
  status: fc.oneof(fc.constantFrom(200, 400, 403, 404, 429), fc.integer({ min: 200, max: 599 })),
  type: fc.constantFrom("application/json", "application/json; charset=utf-8", "text/html", ""),
  retryAfter: fc.oneof(fc.stringMatching(/^[\x21-\x7e]{1,20}$/), fc.integer().map(String)),
  body: fc.oneof(
    fc.record({ detail: json, code: json }),
    fc.record({ pk: fc.constant(5), user: json, source: json, plex_token: fc.constant(TOKEN) }),
    json,
  ),
});

const ask = async (value: unknown) =>
  check(await askBody(at.gateway.url, JSON.stringify(value), { authorization: TOKEN }));

const PROPERTIES = {
  parameters: fc.asyncProperty(fc.oneof(json, parameters), ask),
  representations: fc.asyncProperty(fc.array(fc.oneof(json, representation), { maxLength: 8 }), (r) =>
    ask({ query: ENTITIES, variables: { r } }),
  ),
  "responses of authentik": fc.asyncProperty(upstreamResponse, async ({ status, type, retryAfter, body }) => {
    const headers = { "Content-Type": type, "Retry-After": retryAfter };
    at.authentik.answer((_request, response) => {
      response.writeHead(status, headers).end(JSON.stringify(body));
    });
    await ask({ query: "{plexConnection(id:5){pk user identifier source{name}}}" });
    at.authentik.answer(null);
  }),
};

test.each(Object.entries(PROPERTIES))("random %s are answered as they should be", async (_what, property) => {
  const endsAt = performance.now() + MINUTES * 20_000;
  // What nobody catches fails the run.
  await fc.assert(property, { seed: 42, numRuns: 3_000 });
  do {
    const seed = Date.now() % 2 ** 31;
    console.log(`fuzz: random seed ${seed}`);
    await fc.assert(property, { seed, numRuns: 300 });
  } while (performance.now() < endsAt);
  expect(at.gateway.records.length).toBeGreaterThan(3_000);
});
