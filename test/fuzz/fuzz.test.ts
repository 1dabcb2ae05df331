import * as fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { askBody } from "../support/ask.ts";
import { useGateway } from "../support/gateway.ts";

/*
 * Whatever is sent, and whatever authentik says: the answer is one of GraphQL over HTTP, and tells nothing of the inside.
 */

/** For nights: `FUZZ_MINUTES=60 npm run test:long`. */
const MINUTES = Number(process.env["FUZZ_MINUTES"] ?? 0);
const CASES = 10_000;
const AT_ONCE = 10;
const TOKEN = "Bearer token-of-fuzz";
const STATUSES = new Set([200, 400, 413]);
const LEAKS = /node_modules|\bat [^ ]+ \(|\.[jt]s:\d+|undici|UND_ERR|ECONN|HPE_|token-of-fuzz|127\.0\.0\.1/;
const ERROR = {
  message: expect.any(String),
  extensions: {
    code: expect.stringMatching(/^(?!INTERNAL_SERVER_ERROR$)/),
    requestId: expect.any(String),
  },
};

// Random answers look like an outage; what is tested here is how each is read.
const at = useGateway(beforeAll, {}, { authentik: { retry: false } });

async function post(body: string | Uint8Array<ArrayBuffer>): Promise<void> {
  const { status, text, data, errors } = await askBody(at.gateway.url, body, { authorization: TOKEN });
  expect(STATUSES).toContain(status);
  expect(text).not.toMatch(LEAKS);
  if (errors === undefined) expect(data).toBeDefined();
  else expect(errors).not.toEqual([]);
  for (const error of errors ?? []) expect(error).toMatchObject(ERROR);
}

const json = fc.jsonValue();
const some = { requiredKeys: [] };
const WORDS = [
  "{ } ( ) [ ] : ! $ @ & | = ... query mutation subscription fragment on null true false",
  "plexConnection _entities _service __schema __type __typename representations id pk source",
  "PlexSourceConnection Source _Any ID $id @include @skip if 1 -0 1e9 __proto__ constructor",
  'sdl name fields type ofType user identifier a F , \ufeff "5" """x""" "\\u0000" #c\n',
].flatMap((line) => line.split(" "));
const document = fc.array(fc.constantFrom(...WORDS), { maxLength: 60 }).map((words) => words.join(" "));
const envelope = fc.record(
  {
    query: fc.oneof(document, fc.string(), json, fc.constant("{__typename}")),
    variables: fc.oneof(json, fc.dictionary(fc.string(), json)),
    operationName: fc.oneof(fc.string(), json),
    extensions: fc.oneof(json, fc.record({ persistedQuery: json })),
    ["__proto__"]: json,
  },
  some,
);
const representation = fc.record(
  {
    __typename: fc.oneof(fc.constantFrom("PlexSourceConnection", "Source", "Query", "__proto__"), json),
    pk: fc.oneof(json, fc.integer(), fc.uuid()),
    id: fc.oneof(json, fc.integer().map(String)),
  },
  some,
);
const ENTITIES =
  "query($r:[_Any!]!){_entities(representations:$r){__typename ...on PlexSourceConnection{pk user source{name}}...on Source{name}}}";
const upstreamResponse = fc.record({
  status: fc.oneof(fc.constantFrom(200, 400, 403, 404, 429), fc.integer({ min: 200, max: 599 })),
  type: fc.constantFrom("application/json", "application/json; charset=utf-8", "text/html", ""),
  retryAfter: fc.oneof(fc.stringMatching(/^[\x21-\x7e]{1,20}$/), fc.integer().map(String)),
  body: fc.oneof(
    fc.string(),
    fc.record({ detail: json, code: json }).map((refusal) => JSON.stringify(refusal)),
    fc
      .record({ pk: fc.constant(5), user: json, source: json, created: json, plex_token: fc.constant(TOKEN) })
      .map((connection) => JSON.stringify(connection)),
  ),
});

/** Checks so many inputs, some of them at once. */
function inputs<Input>(
  arbitrary: fc.Arbitrary<Input>,
  check: (input: Input) => Promise<void>,
  atOnce = AT_ONCE,
) {
  const many = fc.array(arbitrary, { minLength: atOnce, maxLength: atOnce });
  const property = fc.asyncProperty(many, async (all) => void (await Promise.all(all.map(check))));
  return (count: number, seed: number) => fc.assert(property, { seed, numRuns: count / atOnce });
}

const PROPERTIES = {
  bytes: inputs(fc.uint8Array({ maxLength: 300 }), (bytes) => post(Uint8Array.from(bytes))),
  parameters: inputs(fc.oneof(json, envelope), (value) => post(JSON.stringify(value))),
  documents: inputs(document, (query) => post(JSON.stringify({ query }))),
  representations: inputs(fc.array(fc.oneof(json, representation), { maxLength: 8 }), (r) =>
    post(JSON.stringify({ query: ENTITIES, variables: { r } })),
  ),
  "responses of authentik": inputs(
    upstreamResponse,
    async ({ status, type, retryAfter, body }) => {
      at.authentik.answer((_request, response) => {
        response.writeHead(status, { "Content-Type": type, "Retry-After": retryAfter }).end(body);
      });
      await post('{"query":"{plexConnection(id:5){pk user identifier source{name}}}"}');
      at.authentik.answer(null);
    },
    1,
  ),
};

test.each(Object.entries(PROPERTIES))(
  "random %s are answered as they should be",
  async (_what, check) => {
    const endsAt = performance.now() + (MINUTES * 60_000) / Object.keys(PROPERTIES).length;
    // What nobody catches fails the run.
    await check(CASES / 5, 42);
    do {
      const seed = Date.now() % 2 ** 31;
      console.log(`fuzz: random seed ${seed}`);
      await check(CASES / 50, seed);
    } while (performance.now() < endsAt);
    expect(at.gateway.records.length).toBeGreaterThan(CASES / 5);
  },
  120_000 + MINUTES * 60_000,
);
