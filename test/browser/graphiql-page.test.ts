import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { afterEach, expect, test } from "vitest";
import { createGraphiqlPage, type GraphiqlOptions } from "../../src/server/graphiql/page.ts";
import { parseTarget } from "../../src/server/request-guard.ts";
import { startFakeAuthentik } from "../support/fake-authentik.ts";
import { startGateway } from "../support/gateway.ts";

const BROWSER = { accept: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8" };

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** The page alone behind a listener; what it does not take is answered with 418. */
async function startPage(options: Partial<GraphiqlOptions> = {}): Promise<URL> {
  const page = createGraphiqlPage({
    endpoint: "/graphql",
    sandboxToken: null,
    credentials: { mode: "caller" },
    ...options,
  });
  const server = createServer((request, response) => {
    const target = parseTarget(request);
    if (!target || !page.serve(request, response, { close: false, target })) response.writeHead(418).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(() => new Promise((resolve) => server.close(resolve)));
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`);
}

async function startWholeGateway({ graphiql }: { graphiql: boolean }) {
  const authentik = await startFakeAuthentik();
  const gateway = await startGateway({ authentikUrl: authentik.url, gateway: { graphiql } });
  closers.push(
    () => gateway.close(),
    () => authentik.close(),
  );
  return { authentik, endpoint: new URL("/graphql", gateway.url) };
}

async function view(url: URL): Promise<string> {
  const response = await fetch(url, { headers: BROWSER });
  expect(response.status).toBe(200);
  return response.text();
}

test("is fit to hold a token: nothing foreign runs in it, frames it, keeps it or learns its address", async () => {
  const url = await startPage();

  const { headers } = await fetch(url, { headers: BROWSER });

  const policy = headers.get("content-security-policy") ?? "";
  const nonce = /'nonce-([A-Za-z0-9+/]{22}==)'/.exec(policy)?.[1];
  expect(policy.replaceAll(`'nonce-${nonce}'`, "NONCE").split("; ")).toEqual([
    "default-src 'none'",
    "script-src NONCE",
    "style-src NONCE",
    "img-src data:",
    "font-src data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ]);
  expect(Object.fromEntries(headers)).toMatchObject({
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
  });
  expect(headers.get("permissions-policy")).toContain("camera=()");
});

test("has a nonce of its own for every view", async () => {
  const url = await startPage();
  const nonces = await Promise.all(
    [view(url), view(url)].map(async (html) => /nonce="([^"]+)"/.exec(await html)?.[1]),
  );
  expect(new Set(nonces).size).toBe(2);
});

test("escapes what it is given", async () => {
  const sandboxToken = `"'</script><script>alert(1)</script><!--`;
  const html = await view(await startPage({ sandboxToken }));

  expect(html).not.toContain("<script>alert");
  expect(html).not.toContain("<!--");
  const json = /<script type="application\/json"[^>]*>(.*?)<\/script>/s.exec(html)?.[1] ?? "";
  const options = JSON.parse(json) as { headers: string };
  expect(JSON.parse(options.headers)).toEqual({ Authorization: `Bearer ${sandboxToken}` });
});

test("loads nothing but files of its own, whose names change with their content", async () => {
  const url = await startPage();
  const html = await view(url);
  const links = [...html.matchAll(/(?:src|href)="(?!data:)([^"]+)"/g)].map((match) => match[1] ?? "");

  expect(links.map((link) => link.replace(/-[0-9a-f]{16}\./, "."))).toEqual([
    "graphql/graphiql/react.js",
    "graphql/graphiql/react-dom.js",
    "graphql/graphiql/graphiql.js",
    "graphql/graphiql/start.js",
    "graphql/graphiql/graphiql.css",
    "graphql/graphiql/page.css",
  ]);
  for (const link of links) {
    const { status, headers } = await fetch(new URL(link, url));
    expect(status).toBe(200);
    expect(headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    expect(headers.get("content-type")).toMatch(link.endsWith(".js") ? "text/javascript" : "text/css");
    expect(headers.get("content-encoding")).toBe("gzip");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
  }
  expect((await fetch(new URL("/graphql/graphiql/start-0.js", url))).status).toBe(404);
});

test.each([
  ["gzip, deflate, br", "gzip"],
  ["identity", null],
  ["gzip;q=0", null],
])("sends files in the encoding that is accepted: %s", async (codings, encoding) => {
  const url = await startPage();
  const file = new URL(/graphql\/graphiql\/start-[^"]+/.exec(await view(url))?.[0] ?? "", url);
  const { headers, text } = await fetch(file, { headers: { "accept-encoding": codings } }).then(
    async (response) => ({ headers: response.headers, text: await response.text() }),
  );
  expect(headers.get("content-encoding")).toBe(encoding);
  expect(text).toContain("ReactDOM.createRoot");
});

test("does not send a file again that the browser has", async () => {
  const url = await startPage();
  const file = new URL(/graphql\/graphiql\/react-dom-[^"]+/.exec(await view(url))?.[0] ?? "", url);
  const etag = (await fetch(file)).headers.get("etag") ?? "";
  const again = await fetch(file, { headers: { "if-none-match": etag } });
  expect([again.status, await again.text(), again.headers.get("etag")]).toEqual([304, "", etag]);
});

test("files are kept once, however often they are asked for on a connection that is never read", async () => {
  const url = await startPage();
  const file = /graphql\/graphiql\/graphiql-[^"]+js/.exec(await view(url))?.[0] ?? "";
  const before = process.memoryUsage().arrayBuffers;
  const socket = connect(Number(url.port), "127.0.0.1").pause();
  closers.unshift(async () => void socket.destroy());
  socket.write(`GET /${file} HTTP/1.1\r\nHost: x\r\n\r\n`.repeat(900));
  // Whatever is asked for meanwhile is answered behind the 900.
  for (let views = 0; views < 5; views += 1) await view(url);

  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * 1024 * 1024);
});

test.each([
  ["/", "/graphql"],
  ["/graphql/", "/graphql"],
])("a browser that opens %s is led to the page, also behind a path prefix", async (path, page) => {
  const url = await startPage();
  const response = await fetch(new URL(path, url), { headers: BROWSER, redirect: "manual" });
  expect([response.status, response.headers.get("vary")]).toEqual([308, "Accept"]);
  const location = response.headers.get("location") ?? "";
  expect(new URL(location, new URL(path, url)).pathname).toBe(page);
  expect(new URL(location, `https://example.org/prefix${path}`).pathname).toBe(`/prefix${page}`);
  expect((await fetch(new URL(path, url), { headers: { accept: "application/json" } })).status).toBe(418);
});

test.each([
  ["a client that wants JSON", "", { accept: "application/json" }],
  ["a client that takes anything", "", { accept: "*/*" }],
  ["an operation by GET", "?query=%7B__typename%7D", BROWSER],
  ["a persisted operation by GET", "?extensions=%7B%7D", BROWSER],
  ["another path", "/favicon.ico", BROWSER],
])("leaves alone %s", async (_who, search, headers) => {
  const url = await startPage();
  expect((await fetch(new URL(search, url), { headers })).status).toBe(418);
});

test.each<[string, Partial<GraphiqlOptions>, string, string]>([
  [
    "the sandbox",
    { sandboxToken: "token-of-administrator" },
    "not your authentik",
    "Bearer token-of-administrator",
  ],
  [
    "the caller's token",
    {},
    "<b>Tokens and App passwords</b>",
    "Bearer \\u003cpaste an authentik API token>",
  ],
  [
    "the gateway's key",
    {
      credentials: { mode: "service", authentikToken: () => "secret-token", gatewayKey: () => "secret-key" },
    },
    "GATEWAY_KEY",
    "Bearer \\u003cpaste the key of this gateway>",
  ],
  [
    "open access",
    { credentials: { mode: "service", authentikToken: () => "secret-token", gatewayKey: null } },
    "No header is needed",
    '"headers":""',
  ],
])("explains %s, and shows no secret", async (_what, options, note, prefilled) => {
  const html = await view(await startPage(options));
  expect(html).toContain(note);
  expect(html).toContain(prefilled);
  expect(html).not.toContain("secret-");
});

test("is served by the gateway without asking authentik, unless it is switched off", async () => {
  const on = await startWholeGateway({ graphiql: true });
  expect(await view(on.endpoint)).toContain("GraphiQL");
  expect(on.authentik.requests).toEqual([]);

  const off = await startWholeGateway({ graphiql: false });
  const response = await fetch(off.endpoint, { headers: { accept: "text/html" } });
  expect(response.status).toBe(406);
  expect(await response.text()).not.toContain("GraphiQL");
  const file = await fetch(new URL("/graphql/graphiql/start.js", off.endpoint));
  expect(file.status).toBe(404);
});
