import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { ask, askBody, type GraphQLReply, read } from "../support/ask.ts";
import { sendJson } from "../support/fake-authentik.ts";
import { useGateway } from "../support/gateway.ts";
import { postText, raw } from "../support/raw-client.ts";
import { times } from "./adversarial-documents.ts";
import { usePlainYoga } from "./support/child.ts";

/** One check of a scanner: what it sends, and what answer it calls a finding; `plain`: the unprotected set-up has it. */
const check = (name: string, plain: boolean, found: (url: URL) => Promise<boolean>) => ({
  name,
  plain,
  found,
});

const hasData = ({ data }: GraphQLReply): boolean => data !== undefined && data !== null;

async function send(url: URL, init: RequestInit, query = ""): Promise<GraphQLReply> {
  return read(await fetch(new URL(`/graphql${query}`, url), init));
}

/** Node before 24: later ones refuse so many headers. */
const DROPS_HEADERS = Number.parseInt(process.versions.node, 10) < 24;

const answers = (query: string) => async (url: URL) => hasData(await ask(url, query));
const says = (query: string, words: RegExp) => async (url: URL) => words.test((await ask(url, query)).text);

/** The twelve checks of graphql-cop with its own triggers, and eight more. */
const CHECKS = [
  check("alias overloading", true, answers(`query cop{${times(101, (i) => `alias${i}:__typename `)}}`)),
  check("array batching", false, async (url) => {
    const { text } = await askBody(url, `[${Array(10).fill('{"query":"query cop{__typename}"}').join()}]`);
    return text.includes('"data"');
  }),
  check("directive overloading", true, async (url) => {
    const { codes } = await ask(url, `query cop{__typename ${"@aa".repeat(10)}}`);
    return codes.length >= 10;
  }),
  check("field suggestions", true, says("query cop{__schema{directive}}", /Did you mean/)),
  check("GraphiQL", true, async (url) => {
    const { text } = await send(url, { headers: { accept: "text/html" } });
    return /graphiql/i.test(text);
  }),
  check("introspection", true, answers("query cop{__schema{types{name fields{name}}}}")),
  check(
    "circular introspection",
    false,
    answers(`query cop{__schema{types{${"fields{type{".repeat(4)}name${"}}".repeat(4)}}}}`),
  ),
  check("mutation by GET", false, async (url) =>
    hasData(await send(url, {}, "?query=mutation%20cop%7B__typename%7D")),
  ),
  check("trace mode", false, says("query cop{__typename}", /tracing/)),
  check("unhandled errors", false, says("qwerty cop{abc}", /exception|stack/i)),
  check("POST of a form", true, async (url) => {
    const body = new URLSearchParams({ query: "query cop{__typename}" });
    return hasData(await send(url, { method: "POST", body }));
  }),
  check("POST of several parts", true, async (url) => {
    const body = new FormData();
    body.set("operations", '{"query":"{__typename}"}');
    body.set("map", "{}");
    return hasData(await send(url, { method: "POST", body }));
  }),
  check("any origin may read (D6)", true, async (url) => {
    const { headers } = await ask(url, "{__typename}", { headers: { origin: "https://evil.example" } });
    return headers.has("access-control-allow-origin") || headers.has("access-control-allow-credentials");
  }),
  check("a malformed Host shows a stack (D7)", true, async (url) => {
    const { text } = await raw(url, postText('{"query":"{__typename}"}', ["Host: a b"]));
    return text.includes("node_modules");
  }),
  check("the body is echoed (D8)", true, async (url) =>
    (await askBody(url, '{"canary-in-body')).text.includes("canary-in-body"),
  ),
  check("JSON that is no connection is a silent null (D9)", true, async (url) => {
    at.authentik.answer((_request, response) => sendJson(response, 200, { hello: 1 }));
    const { data, errors } = await ask(url, "{plexConnection(id:5){pk}}");
    return data !== undefined && errors === undefined;
  }),
  check("a document that exhausts the stack is the server's failure (D13)", true, async (url) => {
    const documents = [
      `${"{a".repeat(3_000)}${"}".repeat(3_000)}`,
      `{a(x:${"[".repeat(50_000)})}`,
      `${"{...".repeat(3_000)}{a}${"}".repeat(3_000)}`,
    ];
    const answers = await Promise.all(documents.map((query) => ask(url, query)));
    return answers.some(({ codes }) => !/^(LIMIT_EXCEEDED|GRAPHQL_PARSE_FAILED)$/.test(codes.join()));
  }),
  check("an Authorization after the thousandth header is dropped (D14)", DROPS_HEADERS, async (url) => {
    const lines = [...Array.from({ length: 1_000 }, (_, i) => `x${i}: y`), "Authorization: Bearer late"];
    // An anonymous call goes out then.
    return (await raw(url, postText('{"query":"{plexConnection(id:5){pk}}"}', lines))).status !== 431;
  }),
  check("the software tells its name", true, async (url) => {
    const answers = await Promise.all(
      ["/graphql", "/health", "/nothing"].map((path) => fetch(new URL(path, url))),
    );
    return answers.some(({ headers }) => ["server", "x-powered-by", "x-yoga-id"].some((n) => headers.has(n)));
  }),
  check("a GET query takes an ambient credential along", true, async (url) => {
    const headers = { cookie: "authentik_session=canary" };
    const query = `?query=${encodeURIComponent("{plexConnection(id:5){pk}}")}`;
    const { codes } = await send(url, { headers }, query);
    // A call to authentik without a credential of its own is the finding; here none is made.
    return codes[0] !== "UNAUTHENTICATED";
  }),
];

const at = useGateway(beforeAll, {}, { gateway: { introspection: false } });
const plain = usePlainYoga(() => at.authentik.url);
beforeEach(() => {
  at.authentik.answer(null);
});

describe("what scanners of GraphQL look for", () => {
  test.each(CHECKS)("$name: not here", async ({ found, plain: vulnerable }) => {
    expect(await found(plain.url)).toBe(vulnerable);
    expect(await found(at.gateway.url)).toBe(false);
  });

  test("with introspection off the subgraph still tells routers its schema", async () => {
    const { text } = await at.gateway.post("{_service{sdl}}");
    expect(text).toContain("PlexSourceConnection");
  });
});
