import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startFakeAuthentik, type FakeAuthentik } from "../support/fake-authentik.ts";
import { startGateway, type TestGateway } from "../support/gateway.ts";
import { times } from "./adversarial-documents.ts";
import { ask, askBody, read, type GraphQLReply } from "../support/ask.ts";
import { startPlainYoga, type ServerProcess } from "./support/child.ts";
import { postText, raw } from "../support/raw-client.ts";

/** One check of a scanner: what it sends, and what answer it calls a finding. */
interface Check {
  name: string;
  /** Whether the set-up without any protection has the finding. */
  plain: boolean;
  found: (url: URL) => Promise<boolean>;
}

const hasData = ({ result }: GraphQLReply): boolean => result.data !== undefined && result.data !== null;

async function send(url: URL, init: RequestInit, query = ""): Promise<GraphQLReply> {
  return read(await fetch(new URL(`/graphql${query}`, url), init));
}

/** The twelve checks of graphql-cop with its own triggers, and ten more. */
const CHECKS: readonly Check[] = [
  {
    name: "alias overloading",
    plain: true,
    found: async (url) => hasData(await ask(url, `query cop{${times(101, (i) => `alias${i}:__typename `)}}`)),
  },
  {
    name: "array batching",
    plain: false,
    found: async (url) => {
      const { text } = await askBody(url, `[${Array(10).fill('{"query":"query cop{__typename}"}').join()}]`);
      return text.includes('"data"');
    },
  },
  {
    name: "directive overloading",
    plain: true,
    found: async (url) => (await ask(url, `query cop{__typename ${"@aa".repeat(10)}}`)).codes.length >= 10,
  },
  {
    name: "field suggestions",
    plain: true,
    found: async (url) => (await ask(url, "query cop{__schema{directive}}")).text.includes("Did you mean"),
  },
  {
    name: "GraphiQL",
    plain: true,
    found: async (url) => {
      const { text } = await send(url, { headers: { accept: "text/html" } });
      return /graphiql/i.test(text);
    },
  },
  {
    name: "introspection",
    plain: true,
    found: async (url) => hasData(await ask(url, "query cop{__schema{types{name fields{name}}}}")),
  },
  {
    name: "circular introspection",
    plain: false,
    found: async (url) =>
      hasData(
        await ask(
          url,
          "query cop{__schema{types{fields{type{fields{type{fields{type{fields{type{name}}}}}}}}}}}",
        ),
      ),
  },
  {
    name: "mutation by GET",
    plain: false,
    found: async (url) => hasData(await send(url, {}, "?query=mutation%20cop%7B__typename%7D")),
  },
  {
    name: "POST of a form",
    plain: true,
    found: async (url) => {
      const body = new URLSearchParams({ query: "query cop{__typename}" });
      return hasData(await send(url, { method: "POST", body }));
    },
  },
  {
    name: "trace mode",
    plain: false,
    found: async (url) => (await ask(url, "query cop{__typename}")).text.includes("tracing"),
  },
  {
    name: "unhandled errors",
    plain: false,
    found: async (url) => /exception|stack/i.test((await ask(url, "qwerty cop{abc}")).text),
  },
  {
    name: "POST of several parts",
    plain: true,
    found: async (url) => {
      const body = new FormData();
      body.set("operations", '{"query":"{__typename}"}');
      body.set("map", "{}");
      return hasData(await send(url, { method: "POST", body }));
    },
  },
  {
    name: "any origin may read",
    plain: true,
    found: async (url) => {
      const { headers } = await ask(url, "{__typename}", { headers: { origin: "https://evil.example" } });
      return headers.has("access-control-allow-origin");
    },
  },
  {
    name: "a malformed Host shows a stack",
    plain: true,
    found: async (url) => {
      const { text } = await raw(url, postText('{"query":"{__typename}"}', ["Host: a b"]));
      return text.includes("node_modules");
    },
  },
  {
    name: "the body is echoed",
    plain: true,
    found: async (url) => (await askBody(url, '{"canary-in-body')).text.includes("canary-in-body"),
  },
  {
    name: "text/plain is executed",
    plain: false,
    found: async (url) => hasData(await send(url, { method: "POST", body: '{"query":"{__typename}"}' })),
  },
  {
    name: "no content type is executed",
    plain: false,
    found: async (url) => {
      const body = '{"query":"{__typename}"}';
      const lines = ["Host: localhost", "Connection: close", `Content-Length: ${body.length}`];
      const { text } = await raw(url, `POST /graphql HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n${body}`);
      return text.includes('"data"');
    },
  },
  {
    name: "__proto__ is taken for an envelope",
    plain: false,
    found: async (url) => hasData(await askBody(url, '{"__proto__":{"query":"{__typename}"}}')),
  },
  {
    name: "TRACE or PUT is executed",
    plain: false,
    found: async (url) => {
      const put = await send(url, { method: "PUT", body: '{"query":"{__typename}"}' });
      const trace = await raw(
        url,
        "TRACE /graphql HTTP/1.1\r\nHost: a\r\nX: canary\r\nConnection: close\r\n\r\n",
      );
      return put.status === 200 || trace.text.includes("canary");
    },
  },
  {
    name: "a compressed body is inflated",
    plain: false,
    found: async (url) => {
      const body = new Uint8Array(gzipSync('{"query":"{__typename}"}'));
      return hasData(await askBody(url, body, { headers: { "content-encoding": "gzip" } }));
    },
  },
  {
    name: "the software tells its name",
    plain: true,
    found: async (url) => {
      const answers = await Promise.all(
        ["/graphql", "/health", "/nothing"].map((path) => fetch(new URL(path, url))),
      );
      return answers.some(({ headers }) =>
        ["server", "x-powered-by", "x-yoga-id"].some((n) => headers.has(n)),
      );
    },
  },
  {
    name: "a GET query takes an ambient credential along",
    plain: true,
    found: async (url) => {
      const headers = { cookie: "authentik_session=canary" };
      const query = `?query=${encodeURIComponent("{plexConnection(id:5){pk}}")}`;
      const { result } = await send(url, { headers }, query);
      // A call to authentik without a credential of its own is the finding; here none is made.
      return result.errors?.[0]?.extensions?.code !== "UNAUTHENTICATED";
    },
  },
];

let authentik: FakeAuthentik;
let plain: ServerProcess;
let gateway: TestGateway;

beforeAll(async () => {
  authentik = await startFakeAuthentik();
  plain = await startPlainYoga(authentik.url);
  gateway = await startGateway({
    authentikUrl: authentik.url,
    gateway: { introspection: false, graphiql: false },
  });
});
afterAll(async () => {
  await Promise.all([gateway.close(), plain.stop()]);
  await authentik.close();
});

describe("what scanners of GraphQL look for", () => {
  test.each(CHECKS)("$name: not here", async ({ found, plain: vulnerable }) => {
    expect(await found(plain.url)).toBe(vulnerable);
    expect(await found(gateway.url)).toBe(false);
  });

  test("with introspection off the subgraph still tells routers its schema", async () => {
    const { result } = await ask(gateway.url, "{_service{sdl}}");
    expect(JSON.stringify(result)).toContain("PlexSourceConnection");
  });

  test("a GET may only read, and reads need a credential that no browser sends by itself", async () => {
    authentik.requests.length = 0;
    const query = `?query=${encodeURIComponent("{plexConnection(id:5){pk user}}")}`;
    await send(gateway.url, { headers: { cookie: "authentik_session=canary" } }, query);
    expect(authentik.requests).toEqual([]);
  });
});
