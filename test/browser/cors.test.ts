import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser, Frame } from "playwright-core";
import { beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
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

/** What a script in the page gets: the answer with what it may read of it, or `unreadable`. */
function fetchIn(frame: Frame, path: string, init: object) {
  const parameters = [new URL(path, at.gateway.url).href, init] as const;
  return frame.evaluate(async ([url, options]) => {
    try {
      const response = await fetch(url, options);
      const { status, headers } = response;
      return { status, text: await response.text(), requestId: headers.get("x-request-id") };
    } catch {
      return "unreadable";
    }
  }, parameters);
}

async function inPage<T>(url: string, run: (frame: Frame) => Promise<T>): Promise<T> {
  const page = await browser.newPage();
  try {
    await page.goto(url);
    const [main, inner] = page.frames();
    const frame = inner ?? main;
    if (!frame) throw new Error("the page has no frame");
    await frame.waitForLoadState();
    return await run(frame);
  } finally {
    await page.close();
  }
}

const QUERY = JSON.stringify({ query: "{ plexConnection(id: 5) { pk } }" });
const POST = { method: "POST", headers: { "content-type": "application/json" }, body: QUERY };
const ANSWER = '{"data":{"plexConnection":{"pk":5}}}';

describe("in Chromium, a page of a listed origin", () => {
  test("asks with the headers of Apollo's clients and of traces, and reads the answer", async () => {
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const headers = {
      ...POST.headers,
      authorization: TOKEN,
      traceparent,
      "apollographql-client-name": "page",
      "x-apollo-operation-name": "Five",
    };
    const read = await inPage(listed, (frame) => fetchIn(frame, "/graphql", { ...POST, headers }));
    expect(read).toEqual({ status: 200, text: ANSWER, requestId: expect.stringMatching(/^[\w-]{36}$/) });
    expect(at.authentik.requests).toHaveLength(1);
  });

  test.each([
    [400, "/graphql??query={plexConnection(id:5){pk}}", {}],
    [404, "/graphq", POST],
    [413, "/graphql", { ...POST, body: `{"query":"${"x".repeat(8_000_000)}"}` }],
    [415, "/graphql", { method: "POST", body: QUERY }],
  ])("reads why it is refused: %i at %s", async (status, path, init) => {
    const read = await inPage(listed, (frame) => fetchIn(frame, path, init));
    expect(read).toMatchObject({ status, requestId: expect.any(String) });
    expect(at.authentik.requests).toEqual([]);
  });
});

test.each([
  ["a page of another origin", other],
  ["a sandboxed frame of another origin", `${other}/framing`],
  ["a sandboxed frame of the listed origin", `${listed}/framing`],
])(
  "in Chromium, %s reads nothing, and has nothing executed that a page can only ask for with leave",
  async (_name, url) => {
    const reads = await inPage(url, (frame) =>
      Promise.all([
        fetchIn(frame, "/graphql", POST),
        fetchIn(frame, "/graphql", { ...POST, headers: { ...POST.headers, authorization: TOKEN } }),
        fetchIn(frame, "/graphql", { method: "POST", body: QUERY }),
        fetchIn(frame, "/graphql?query={plexConnection(id:5){pk}}", {}),
        fetchIn(frame, "/graphql??query={plexConnection(id:5){pk}}", {}),
      ]),
    );
    expect(new Set(reads)).toEqual(new Set(["unreadable"]));
    expect(at.authentik.requests).toEqual([]);
  },
);
