import * as fc from "fast-check";
import { type Agent, request } from "undici";
import type { FakeAuthentik } from "../support/fake-authentik.ts";
import { postText, raw } from "../support/raw-client.ts";

/** What is fuzzed. */
export interface FuzzTarget {
  url: URL;
  authentik: FakeAuthentik;
  agent: Agent;
}

/** One property and its share of the cases. */
export interface FuzzProperty {
  /** Of 100 cases. */
  share: number;
  property: (target: FuzzTarget) => fc.IAsyncPropertyWithHooks<unknown>;
  /** Inputs that one case of fast-check holds: they are sent at once. */
  batch: number;
}

const STATUSES = new Set([200, 400, 401, 404, 405, 406, 413, 415, 421, 431, 503]);
const LEAKS = /node_modules|\bat [^ ]+ \(|\.[jt]s:\d+|undici|UND_ERR|ECONN|HPE_|token-of-fuzz|127\.0\.0\.1/;
const TOKEN = "Bearer token-of-fuzz";

/** What every answer must be, whatever was asked. Throws where it is not. */
function checkAnswer(status: number, text: string): void {
  if (!STATUSES.has(status)) throw new Error(`status ${status}: ${text.slice(0, 500)}`);
  if (LEAKS.test(text)) throw new Error(`leak: ${text.slice(0, 500)}`);
  const result: unknown = JSON.parse(text);
  if (typeof result !== "object" || result === null) throw new Error(`no result: ${text}`);
  const errors: unknown = "errors" in result ? result.errors : undefined;
  if (!("data" in result) && errors === undefined) throw new Error(`neither data nor errors: ${text}`);
  if (errors === undefined) return;
  if (!Array.isArray(errors) || errors.length === 0) throw new Error(`errors must be a full list: ${text}`);
  for (const error of errors as {
    message?: unknown;
    extensions?: { code?: unknown; requestId?: unknown };
  }[]) {
    const { code, requestId } = error.extensions ?? {};
    if (typeof error.message !== "string" || typeof code !== "string" || typeof requestId !== "string")
      throw new Error(`incomplete error: ${text.slice(0, 500)}`);
    if (code === "INTERNAL_SERVER_ERROR") throw new Error(`unexpected failure: ${text.slice(0, 500)}`);
  }
}

async function post(
  { url, agent }: FuzzTarget,
  body: string | Uint8Array,
  headers: Record<string, string> = {},
): Promise<void> {
  const answer = await request(new URL("/graphql", url), {
    method: "POST",
    dispatcher: agent,
    headers: { "content-type": "application/json", authorization: TOKEN, ...headers },
    body,
  });
  checkAnswer(answer.statusCode, await answer.body.text());
}

function inputs<Input>(
  arbitrary: fc.Arbitrary<Input>,
  { share, batch = 10 }: { share: number; batch?: number },
  check: (target: FuzzTarget, input: Input) => Promise<void>,
): FuzzProperty {
  const many = fc.array(arbitrary, { minLength: batch, maxLength: batch });
  const property: FuzzProperty["property"] = (target) =>
    fc.asyncProperty(many, async (batched) => {
      await Promise.all(batched.map((input) => check(target, input)));
    });
  return { share, batch, property };
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

const envelope = fc.record(
  {
    query: fc.oneof(soup, fc.string(), fc.jsonValue(), fc.constant("{__typename}")),
    variables: fc.oneof(fc.jsonValue(), fc.dictionary(fc.string(), fc.jsonValue())),
    operationName: fc.oneof(fc.string(), fc.jsonValue()),
    extensions: fc.oneof(
      fc.jsonValue(),
      fc.record({
        persistedQuery: fc.oneof(
          fc.jsonValue(),
          fc.record({ version: fc.integer(), sha256Hash: fc.string() }),
        ),
      }),
    ),
    id: fc.jsonValue(),
    __proto__: fc.jsonValue(),
  },
  { requiredKeys: [] },
);

const headerName = fc
  .stringMatching(/^[a-z][a-z0-9_-]{0,20}$/)
  .filter(
    (name) =>
      !/^(content-length|transfer-encoding|connection|expect|upgrade|keep-alive|host|te|trailer)$/.test(name),
  );
const headerValue = fc.stringMatching(/^[\x21-\x7e]([\x20-\x7e]{0,60}[\x21-\x7e])?$/);

const representation = fc.oneof(
  fc.jsonValue(),
  fc.record(
    {
      __typename: fc.oneof(
        fc.constantFrom(
          "PlexSourceConnection",
          "Source",
          "Query",
          "_Service",
          "__Type",
          "__proto__",
          "toString",
        ),
        fc.jsonValue(),
      ),
      pk: fc.oneof(fc.jsonValue(), fc.integer(), fc.uuid()),
      id: fc.oneof(fc.jsonValue(), fc.integer().map(String)),
      user: fc.jsonValue(),
    },
    { requiredKeys: [] },
  ),
);

const ENTITIES =
  "query($r:[_Any!]!){_entities(representations:$r){__typename ...on PlexSourceConnection{pk user source{name}}...on Source{name slug}}}";

const upstreamAnswer = fc.record({
  status: fc.oneof(
    fc.constantFrom(200, 200, 200, 204, 301, 400, 401, 403, 404, 429, 500, 503),
    fc.integer({ min: 200, max: 599 }),
  ),
  contentType: fc.constantFrom("application/json", "application/json; charset=utf-8", "text/html", ""),
  retryAfter: fc.oneof(
    fc.constant(undefined),
    fc.stringMatching(/^[\x21-\x7e]{1,20}$/),
    fc.integer().map(String),
  ),
  body: fc.oneof(
    fc.json(),
    fc.string(),
    fc.record({ detail: fc.jsonValue(), code: fc.jsonValue() }).map((body) => JSON.stringify(body)),
    fc
      .record({
        pk: fc.oneof(fc.constant(5), fc.jsonValue()),
        user: fc.oneof(fc.constant(42), fc.jsonValue()),
        source: fc.jsonValue(),
        source_obj: fc.jsonValue(),
        identifier: fc.oneof(fc.string(), fc.jsonValue()),
        created: fc.jsonValue(),
        plex_token: fc.constant("token-of-fuzz-plex"),
      })
      .map((body) => JSON.stringify(body)),
  ),
});

/** All properties; their shares add up to 100. */
export const PROPERTIES: readonly FuzzProperty[] = [
  // Bytes, JSON, envelopes, documents and headers.
  inputs(fc.uint8Array({ maxLength: 300 }), { share: 15 }, (target, bytes) => post(target, bytes)),
  inputs(fc.jsonValue(), { share: 14 }, (target, value) => post(target, JSON.stringify(value))),
  inputs(envelope, { share: 18 }, (target, value) => post(target, JSON.stringify(value))),
  inputs(soup, { share: 20 }, (target, query) => post(target, JSON.stringify({ query }))),
  inputs(fc.dictionary(headerName, headerValue, { maxKeys: 8 }), { share: 8 }, (target, headers) =>
    post(target, '{"query":"{plexConnection(id:5){pk user}}"}', headers),
  ),
  inputs(
    fc.oneof(
      fc.webQueryParameters(),
      soup.map((query) => `query=${encodeURIComponent(query)}`),
    ),
    { share: 8 },
    async ({ url, agent }, query) => {
      const answer = await request(new URL(`/graphql?${query}`, url), {
        dispatcher: agent,
        headers: { authorization: TOKEN },
      });
      checkAnswer(answer.statusCode, await answer.body.text());
    },
  ),
  inputs(fc.array(representation, { maxLength: 8 }), { share: 9, batch: 5 }, (target, r) =>
    post(target, JSON.stringify({ query: ENTITIES, variables: { r } })),
  ),
  inputs(
    upstreamAnswer,
    { share: 7, batch: 1 },
    async (target, { status, contentType, retryAfter, body }) => {
      target.authentik.answer((_request, response) => {
        const headers: Record<string, string> = { "Content-Type": contentType };
        if (retryAfter !== undefined) headers["Retry-After"] = retryAfter;
        response.writeHead(status, headers);
        response.end(body);
      });
      await post(target, '{"query":"{plexConnection(id:5){pk user identifier source{name}}}"}');
      target.authentik.answer(null);
    },
  ),
  // The header that says where a request is meant to go.
  inputs(fc.stringMatching(/^[\x20-\x7e]{0,30}$/), { share: 1, batch: 5 }, async ({ url }, host) => {
    const { text, status } = await raw(url, postText('{"query":"{__typename}"}', [`Host: ${host}`]));
    checkAnswer(status, text.slice(text.indexOf("\r\n\r\n") + 4));
  }),
];
