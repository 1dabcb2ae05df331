import { gzipSync } from "node:zlib";
import { beforeAll, describe, expect, test } from "vitest";
import { ask, askBody, type GraphQLReply, read } from "../support/ask.ts";
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

/** The twelve checks of graphql-cop with its own triggers, and ten more. */
const CHECKS = [
  check("alias overloading", true, async (url) =>
    hasData(await ask(url, `query cop{${times(101, (i) => `alias${i}:__typename `)}}`)),
  ),
  check("array batching", false, async (url) => {
    const { text } = await askBody(url, `[${Array(10).fill('{"query":"query cop{__typename}"}').join()}]`);
    return text.includes('"data"');
  }),
  check(
    "directive overloading",
    true,
    async (url) => (await ask(url, `query cop{__typename ${"@aa".repeat(10)}}`)).codes.length >= 10,
  ),
  check("field suggestions", true, async (url) =>
    (await ask(url, "query cop{__schema{directive}}")).text.includes("Did you mean"),
  ),
  check("GraphiQL", true, async (url) => {
    const { text } = await send(url, { headers: { accept: "text/html" } });
    return /graphiql/i.test(text);
  }),
  check("introspection", true, async (url) =>
    hasData(await ask(url, "query cop{__schema{types{name fields{name}}}}")),
  ),
  check("circular introspection", false, async (url) =>
    hasData(
      await ask(
        url,
        "query cop{__schema{types{fields{type{fields{type{fields{type{fields{type{name}}}}}}}}}}}",
      ),
    ),
  ),
  check("mutation by GET", false, async (url) =>
    hasData(await send(url, {}, "?query=mutation%20cop%7B__typename%7D")),
  ),
  check("POST of a form", true, async (url) => {
    const body = new URLSearchParams({ query: "query cop{__typename}" });
    return hasData(await send(url, { method: "POST", body }));
  }),
  check("trace mode", false, async (url) =>
    (await ask(url, "query cop{__typename}")).text.includes("tracing"),
  ),
  check("unhandled errors", false, async (url) =>
    /exception|stack/i.test((await ask(url, "qwerty cop{abc}")).text),
  ),
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
  check("text/plain is executed", false, async (url) =>
    hasData(await send(url, { method: "POST", body: '{"query":"{__typename}"}' })),
  ),
  check("no content type is executed", false, async (url) => {
    const body = '{"query":"{__typename}"}';
    const lines = ["Host: localhost", "Connection: close", `Content-Length: ${body.length}`];
    const { text } = await raw(url, `POST /graphql HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n${body}`);
    return text.includes('"data"');
  }),
  check("__proto__ is taken for an envelope", false, async (url) =>
    hasData(await askBody(url, '{"__proto__":{"query":"{__typename}"}}')),
  ),
  check("TRACE or PUT is executed", false, async (url) => {
    const put = await send(url, { method: "PUT", body: '{"query":"{__typename}"}' });
    const trace = await raw(
      url,
      "TRACE /graphql HTTP/1.1\r\nHost: a\r\nX: canary\r\nConnection: close\r\n\r\n",
    );
    return put.status === 200 || trace.text.includes("canary");
  }),
  check("a compressed body is inflated", false, async (url) => {
    const body = new Uint8Array(gzipSync('{"query":"{__typename}"}'));
    return hasData(await askBody(url, body, { headers: { "content-encoding": "gzip" } }));
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
