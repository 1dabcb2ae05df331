import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser, Frame } from "playwright-core";
import { beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { TOKEN, useGateway } from "../support/gateway.ts";
import { launchChromium } from "./chromium.ts";

vi.setConfig({ testTimeout: 60_000 });

/** A web server with a page of its own, and one in which that stands in a sandboxed frame. */
const site = createServer((request, response) => {
  response.setHeader("content-type", "text/html");
  const framing = '<iframe sandbox="allow-scripts" src="/"></iframe>';
  response.end(request.url === "/framing" ? framing : "<p>Hi</p>");
}).listen(0, "127.0.0.1");
await once(site, "listening");
const { port } = site.address() as AddressInfo; // it listens on a port, not on a pipe
/** By two names it has two origins; the gateway lists the first and one that nobody is. */
const [listed, other] = [`http://127.0.0.1:${port}`, `http://localhost:${port}`];
const at = useGateway(
  beforeAll,
  {},
  {
    gateway: {
      // Nobody needs a credential: what keeps pages out is the browser alone.
      credentials: { mode: "service", authentikToken: () => "token-of-the-gateway", gatewayKey: null },
      corsOrigins: [listed, "https://elsewhere.example"],
    },
  },
);
let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
  return async () => {
    await browser.close();
    site.close();
  };
}, 120_000);
beforeEach(() => {
  at.authentik.requests.length = 0;
});

type Sent = readonly [path: string, init: object];

/** What a script in a page, or in the frame in it, gets for each request: what it may read of the answer, or `unreadable`. */
async function readsIn(url: string, ...requests: Sent[]) {
  const page = await browser.newPage();
  onTestFinished(() => page.close());
  await page.goto(url);
  const frame: Frame = page.frames().at(-1) ?? page.mainFrame();
  await frame.waitForLoadState();
  const sent = requests.map(([path, init]): Sent => [new URL(path, at.gateway.url).href, init]);
  return frame.evaluate(
    (all) =>
      Promise.all(
        all.map(async ([url, init]) => {
          try {
            const response = await fetch(url, init);
            const { status, headers } = response;
            return { status, text: await response.text(), requestId: headers.get("x-request-id") };
          } catch {
            return "unreadable";
          }
        }),
      ),
    sent,
  );
}

const QUERY = JSON.stringify({ query: "{ plexConnection(id: 5) { pk } }" });
const POST = { method: "POST", headers: { "content-type": "application/json" }, body: QUERY };
const TWO_MARKS: Sent = ["/graphql??query={plexConnection(id:5){pk}}", {}];

describe("in Chromium, a page of a listed origin", () => {
  test("asks with the headers of Apollo's clients and of traces, and reads the answer", async () => {
    const headers = {
      ...POST.headers,
      authorization: TOKEN,
      traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      "apollographql-client-name": "page",
      "x-apollo-operation-name": "Five",
    };
    const requestId: unknown = expect.stringMatching(/^[\w-]{36}$/);
    const read = { status: 200, text: '{"data":{"plexConnection":{"pk":5}}}', requestId };
    expect(await readsIn(listed, ["/graphql", { ...POST, headers }])).toEqual([read]);
    expect(at.authentik.requests).toHaveLength(1);
  });

  test("reads why it is refused", async () => {
    const tooMuch = `{"query":"${"x".repeat(8_000_000)}"}`;
    const reads = await readsIn(
      listed,
      TWO_MARKS,
      ["/graphq", POST],
      ["/graphql", { ...POST, body: tooMuch }],
      ["/graphql", { method: "POST", body: QUERY }],
    );
    const refusals = [400, 404, 413, 415].map((status) => ({ status, requestId: expect.any(String) }));
    expect(reads).toMatchObject(refusals);
    expect(at.authentik.requests).toEqual([]);
  });
});

test.each([
  ["a page of another origin", other],
  ["a sandboxed frame of the listed origin", `${listed}/framing`],
])(
  "in Chromium, %s reads nothing, and has nothing executed that a page can only ask for with leave",
  async (_name, url) => {
    const reads = await readsIn(
      url,
      ["/graphql", POST],
      ["/graphql", { ...POST, headers: { ...POST.headers, authorization: TOKEN } }],
      ["/graphql", { method: "POST", body: QUERY }],
      ["/graphql?query={plexConnection(id:5){pk}}", {}],
      TWO_MARKS,
    );
    expect(new Set(reads)).toEqual(new Set(["unreadable"]));
    expect(at.authentik.requests).toEqual([]);
  },
);
