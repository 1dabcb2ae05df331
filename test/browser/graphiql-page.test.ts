import { expect, onTestFinished, test } from "vitest";
import { SANDBOX_RELEASES } from "../../src/sandbox/releases.ts";
import { createSandbox } from "../../src/sandbox/sandbox.ts";
import type { GatewayOptions } from "../../src/server/gateway.ts";
import { EXAMPLES } from "../../src/server/graphiql/examples.ts";
import { gatewayForTest, startGateway } from "../support/gateway.ts";

const BROWSER = { accept: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8" };

async function startPage(options: Partial<GatewayOptions> = {}): Promise<URL> {
  const { gateway } = await gatewayForTest({ gateway: { graphiql: true, ...options } });
  return new URL("/graphql", gateway.url);
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
  expect(await view(url), "every view has a nonce of its own").not.toContain(nonce);
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

test("loads nothing but files of its own, whose names change with their content, and asks authentik nothing", async () => {
  const { authentik, gateway } = await gatewayForTest({ gateway: { graphiql: true } });
  const url = new URL("/graphql", gateway.url);
  const links = [...(await view(url)).matchAll(/(?:src|href)="(?!data:)([^"]+)"/g)].map(
    ([, link = ""]) => link,
  );

  const names = ["react.js", "react-dom.js", "graphiql.js", "start.js", "graphiql.css", "page.css"];
  expect(links.map((link) => link.replace(/-[0-9a-f]{16}\./, "."))).toEqual(
    names.map((name) => `graphql/graphiql/${name}`),
  );
  for (const link of links) {
    const { status, headers } = await fetch(new URL(link, url));
    expect(status).toBe(200);
    expect(headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    expect(headers.get("content-type")).toMatch(link.endsWith(".js") ? "text/javascript" : "text/css");
    expect(headers.get("content-encoding")).toBe("gzip");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
  }

  const start = new URL(links[3] ?? "", url);
  const plain = await fetch(start, { headers: { "accept-encoding": "gzip;q=0" } });
  expect(plain.headers.get("content-encoding")).toBeNull();
  expect(await plain.text()).toContain("ReactDOM.createRoot");
  const again = await fetch(start, { headers: { "if-none-match": plain.headers.get("etag") ?? "" } });
  expect([again.status, await again.text()]).toEqual([304, ""]);
  expect(authentik.requests).toEqual([]);
});

test.each(["/", "/graphql/"])(
  "a browser that opens %s is led to the page, also behind a path prefix",
  async (path) => {
    const url = await startPage();
    const response = await fetch(new URL(path, url), { headers: BROWSER, redirect: "manual" });
    expect([response.status, response.headers.get("vary")]).toEqual([308, "Accept"]);
    const location = response.headers.get("location") ?? "";
    expect(new URL(location, `https://example.org/prefix${path}`).pathname).toBe("/prefix/graphql");
    expect((await fetch(new URL(path, url), { headers: { accept: "application/json" } })).status).not.toBe(
      308,
    );
  },
);

test.each([
  ["a client that takes anything", "", { accept: "*/*" }],
  ["an operation by GET", "?query=%7B__typename%7D", BROWSER],
])("leaves alone %s", async (_who, search, headers) => {
  const { headers: answered } = await fetch(new URL(search, await startPage()), { headers });
  expect(answered.get("content-type")).toBe("application/json; charset=utf-8");
});

test("is not there where it is switched off", async () => {
  const url = await startPage({ graphiql: false });
  expect((await fetch(url, { headers: { accept: "text/html" } })).status).toBe(406);
  expect((await fetch(new URL("/graphql/graphiql/start.js", url))).status).toBe(404);
});

test.each(SANDBOX_RELEASES)(
  "every example is answered by authentik %s; errors are of the key alone that is none",
  async (release) => {
    const sandbox = await createSandbox({ release });
    onTestFinished(() => sandbox.close());
    const gateway = await startGateway({ authentikUrl: sandbox.url });
    onTestFinished(() => gateway.close());
    for (const { query, variables = "{}" } of EXAMPLES) {
      const { data, errors = [] } = await gateway.post(query, { variables: JSON.parse(variables) });
      expect(data).toBeTypeOf("object");
      expect(errors.map(({ path }) => path)).toEqual(query.includes("_entities") ? [["_entities", 1]] : []);
    }
  },
);
