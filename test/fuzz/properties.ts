import * as fc from "fast-check";
import { Agent, request } from "undici";
import { expect } from "vitest";
import { type FakeAuthentik, startFakeAuthentik } from "../support/fake-authentik.ts";
import { startGateway } from "../support/gateway.ts";
import { postText, raw } from "../support/raw-client.ts";

/** What is fuzzed. */
interface FuzzTarget {
  url: URL;
  authentik: FakeAuthentik;
  agent: Agent;
}

const STATUSES = new Set([200, 400, 401, 404, 405, 406, 413, 415, 421, 431, 503]);
const LEAKS = /node_modules|\bat [^ ]+ \(|\.[jt]s:\d+|undici|UND_ERR|ECONN|HPE_|token-of-fuzz|127\.0\.0\.1/;
const TOKEN = "Bearer token-of-fuzz";

const ERROR = {
  message: expect.any(String),
  extensions: {
    code: expect.stringMatching(/^(?!INTERNAL_SERVER_ERROR$)/),
    requestId: expect.any(String),
  },
};

/** What every answer must be, whatever was asked. */
function checkAnswer(status: number, text: string): void {
  expect(STATUSES).toContain(status);
  expect(text).not.toMatch(LEAKS);
  const { data, errors } = JSON.parse(text) as { data?: unknown; errors?: unknown[] }; // which is looked at here
  if (errors === undefined) expect(data).toBeDefined();
  else expect(errors).not.toEqual([]);
  for (const error of errors ?? []) expect(error).toMatchObject(ERROR);
}

async function send({ url, agent }: FuzzTarget, path: string, options: Parameters<typeof request>[1]) {
  const answer = await request(new URL(path, url), { dispatcher: agent, ...options });
  checkAnswer(answer.statusCode, await answer.body.text());
}

function post(target: FuzzTarget, body: string | Uint8Array, headers: Record<string, string> = {}) {
  const all = { "content-type": "application/json", authorization: TOKEN, ...headers };
  return send(target, "/graphql", { method: "POST", headers: all, body });
}

/** Checks so many of a hundred inputs with this, `batch` of them at once. */
function inputs<Input>(
  share: number,
  arbitrary: fc.Arbitrary<Input>,
  check: (target: FuzzTarget, input: Input) => Promise<void>,
  batch = 10,
) {
  const many = fc.array(arbitrary, { minLength: batch, maxLength: batch });
  return async (target: FuzzTarget, { cases, seed }: FuzzRun): Promise<number> => {
    const numRuns = Math.ceil((cases * share) / 100 / batch);
    const property = fc.asyncProperty(many, async (batched) => {
      await Promise.all(batched.map((input) => check(target, input)));
    });
    await fc.assert(property, { seed, numRuns });
    return numRuns * batch;
  };
}

const TOKENS = [
  "{ } ( ) [ ] : ! $ @ & | = ... query mutation subscription fragment on null true false",
  "plexConnection _entities _service __schema __type __typename representations id pk source",
  "PlexSourceConnection Source _Any ID $id @include @skip if 1 -0 1e9 __proto__ constructor",
  "sdl name fields type ofType user identifier created a b F , \ufeff",
]
  .flatMap((line) => line.split(" "))
  .concat('"5"', '"""x"""', '"\\u0000"', "#c\n");

const soup = fc.array(fc.constantFrom(...TOKENS), { maxLength: 60 }).map((tokens) => tokens.join(" "));

const json = fc.jsonValue();
const some = { requiredKeys: [] };

const persistedQuery = fc.record({ version: fc.integer(), sha256Hash: fc.string() });
const envelope = fc.record(
  {
    query: fc.oneof(soup, fc.string(), json, fc.constant("{__typename}")),
    variables: fc.oneof(json, fc.dictionary(fc.string(), json)),
    operationName: fc.oneof(fc.string(), json),
    extensions: fc.oneof(json, fc.record({ persistedQuery: fc.oneof(json, persistedQuery) })),
    id: json,
    ["__proto__"]: json,
  },
  some,
);

const FRAMING = /^(content-length|transfer-encoding|connection|expect|upgrade|keep-alive|host|te|trailer)$/;
const headerName = fc.stringMatching(/^[a-z][a-z0-9_-]{0,20}$/).filter((name) => !FRAMING.test(name));
const headerValue = fc.stringMatching(/^[\x21-\x7e]([\x20-\x7e]{0,60}[\x21-\x7e])?$/);

const TYPES = "PlexSourceConnection Source Query _Service __Type __proto__ toString".split(" ");
const entity = fc.record(
  {
    __typename: fc.oneof(fc.constantFrom(...TYPES), json),
    pk: fc.oneof(json, fc.integer(), fc.uuid()),
    id: fc.oneof(json, fc.integer().map(String)),
    user: json,
  },
  some,
);
const representation = fc.oneof(json, entity);

const ENTITIES =
  "query($r:[_Any!]!){_entities(representations:$r){__typename ...on PlexSourceConnection{pk user source{name}}...on Source{name slug}}}";

const connection = fc.record({
  pk: fc.oneof(fc.constant(5), json),
  user: fc.oneof(fc.constant(42), json),
  source: json,
  source_obj: json,
  identifier: fc.oneof(fc.string(), json),
  created: json,
  plex_token: fc.constant("token-of-fuzz-plex"),
});
const refusal = fc.record({ detail: json, code: json });
const statuses = fc.constantFrom(200, 200, 200, 204, 301, 400, 401, 403, 404, 429, 500, 503);
const word = fc.stringMatching(/^[\x21-\x7e]{1,20}$/);
const upstreamAnswer = fc.record({
  status: fc.oneof(statuses, fc.integer({ min: 200, max: 599 })),
  contentType: fc.constantFrom("application/json", "application/json; charset=utf-8", "text/html", ""),
  retryAfter: fc.oneof(fc.constant(undefined), word, fc.integer().map(String)),
  body: fc.oneof(
    fc.json(),
    fc.string(),
    fc.oneof(refusal, connection).map((body) => JSON.stringify(body)),
  ),
});

const FIVE = '{"query":"{plexConnection(id:5){pk user identifier source{name}}}"}';

/** All properties; their shares make up the whole. */
const PROPERTIES = [
  // Bytes, JSON, envelopes, documents and headers.
  inputs(15, fc.uint8Array({ maxLength: 300 }), (target, bytes) => post(target, bytes)),
  inputs(14, fc.jsonValue(), (target, value) => post(target, JSON.stringify(value))),
  inputs(18, envelope, (target, value) => post(target, JSON.stringify(value))),
  inputs(20, soup, (target, query) => post(target, JSON.stringify({ query }))),
  inputs(8, fc.dictionary(headerName, headerValue, { maxKeys: 8 }), (target, headers) =>
    post(target, FIVE, headers),
  ),
  inputs(
    8,
    fc.oneof(
      fc.webQueryParameters(),
      soup.map((query) => `query=${encodeURIComponent(query)}`),
    ),
    (target, query) => send(target, `/graphql?${query}`, { headers: { authorization: TOKEN } }),
  ),
  inputs(
    9,
    fc.array(representation, { maxLength: 8 }),
    (target, r) => post(target, JSON.stringify({ query: ENTITIES, variables: { r } })),
    5,
  ),
  inputs(
    7,
    upstreamAnswer,
    async (target, { status, contentType, retryAfter, body }) => {
      const headers = { "Content-Type": contentType, ...(retryAfter && { "Retry-After": retryAfter }) };
      target.authentik.answer((_request, response) => void response.writeHead(status, headers).end(body));
      await post(target, FIVE);
      target.authentik.answer(null);
    },
    1,
  ),
  // The header that says where a request is meant to go.
  inputs(
    1,
    fc.stringMatching(/^[\x20-\x7e]{0,30}$/),
    async ({ url }, host) => {
      const { text, status } = await raw(url, postText('{"query":"{__typename}"}', [`Host: ${host}`]));
      checkAnswer(status, text.slice(text.indexOf("\r\n\r\n") + 4));
    },
    5,
  ),
];

interface FuzzRun {
  cases: number;
  seed: number;
}

/** Runs all properties with so many inputs at least; throws with seed and path at the first that does not hold. */
export async function runFuzz(run: FuzzRun): Promise<number> {
  const authentik = await startFakeAuthentik();
  // Random answers look like an outage; what is tested here is how each is read.
  const gateway = await startGateway({ authentikUrl: authentik.url, authentik: { retry: false } });
  const agent = new Agent({ connections: 10 });
  let sent = 0;
  try {
    for (const property of PROPERTIES) sent += await property({ url: gateway.url, authentik, agent }, run);
  } finally {
    await agent.destroy();
    await gateway.close();
    await authentik.close();
  }
  return sent;
}
