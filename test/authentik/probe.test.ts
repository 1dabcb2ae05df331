import type { ServerResponse } from "node:http";
import { createServer, type AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  sendJson,
  sendPage,
  startFakeAuthentik,
  type FakeAuthentik,
  type FakeAuthentikOptions,
} from "../support/fake-authentik.ts";
import { household } from "../support/fake-household.ts";
import type { Probe } from "../../src/authentik/probe.ts";
import { connect } from "./connect.ts";

async function startFake(options: FakeAuthentikOptions = {}): Promise<FakeAuthentik> {
  const fake = await startFakeAuthentik(options);
  onTestFinished(() => fake.close());
  return fake;
}

async function probe(url: URL, timeoutMs = 2_000): Promise<string> {
  const authentik = connect(url);
  const { ok, problem } = await authentik.probe({ timeoutMs });
  expect(ok).toBe(problem === "");
  return problem;
}

test("an authentik is recognised by what it says without credentials, and none are sent", async () => {
  const fake = await startFake({ prefix: "/auth" });
  expect(await probe(fake.url)).toBe("");
  expect(fake.paths()).toEqual(["/auth/api/v3/sources/user_connections/plex/?page_size=1"]);
  expect(fake.requests[0]?.headers.map(([name]) => name.toLowerCase())).not.toContain("authorization");
});

test.each<[string, (response: ServerResponse) => void, RegExp]>([
  ["a page", (response) => sendPage(response, 200, "Welcome"), /a page instead of the API/],
  [
    "a page with 404",
    (response) => sendPage(response, 404, "Not Found"),
    /no API at \/api\/v3\/.*path prefix/,
  ],
  [
    "a redirect",
    (response) => response.writeHead(302, { Location: "https://login.example" }).end(),
    /redirects \(302\)/,
  ],
  [
    "starting",
    (response) => sendJson(response, 503, { error: "authentik starting" }),
    /authentik is still starting/,
  ],
  ["502", (response) => sendPage(response, 502, "Bad Gateway"), /answers 502: authentik is down behind/],
  [
    "what TLS ports say to plain HTTP",
    (response) => sendPage(response, 400, "The plain HTTP request was sent to HTTPS port"),
    /answers 400: the port speaks TLS: try https:\/\/$/,
  ],
  ["500", (response) => sendPage(response, 500, "Server Error"), /answers 500/],
  ["anybody's list", (response) => sendJson(response, 200, { results: [] }), /no authentik/],
  [
    "another 403",
    (response) => sendPage(response, 403, "Forbidden"),
    /answers 403 with a page instead of the API/,
  ],
])("a server that answers with %s is told in words", async (_name, answer, words) => {
  const fake = await startFake({ answer: (_request, response) => answer(response) });
  const problem = await probe(fake.url);
  expect(problem).toMatch(words);
  expect(problem).not.toContain("login.example");
});

test("nothing that listens, and a name that is unknown", async () => {
  const gone = await startFakeAuthentik();
  await gone.close();
  expect(await probe(gone.url)).toMatch(/ECONNREFUSED: nothing listens/);
  expect(await probe(new URL("http://no-such-host.invalid"))).toMatch(/DNS/);
});

function probeAs(token: string, url: URL): Promise<Probe> {
  const authentik = connect(url, { serviceAuthorization: () => `Bearer ${token}` });
  return authentik.probe({ timeoutMs: 2_000 });
}

describe("in service mode the probe shows the gateway's own token", () => {
  test("and finds that it is good, or dead, without a caller", async () => {
    const fake = await startFake({ sandbox: { release: "2025.4", directory: household() } });
    expect(await probeAs("token-of-alice", fake.url)).toEqual({ ok: true, problem: "", refusesToken: false });
    expect(await probeAs("expired", fake.url)).toEqual({
      ok: false,
      problem: `${fake.url.origin} refuses AUTHENTIK_TOKEN: it is invalid or expired`,
      refusesToken: true,
    });
    expect(fake.paths()).toEqual(["/api/v3/core/users/me/", "/api/v3/core/users/me/"]);
  });

  test.each([
    ["a page with 403", (response: ServerResponse) => sendPage(response, 403, "Forbidden")],
    ["a page with 401", (response: ServerResponse) => sendPage(response, 401, "Authorization Required")],
    ["502", (response: ServerResponse) => sendPage(response, 502, "Bad Gateway")],
    ["a page", (response: ServerResponse) => sendPage(response, 200, "Welcome")],
  ])("and takes %s for nothing that is said about the token", async (_name, answer) => {
    const fake = await startFake({ answer: (_request, response) => answer(response) });
    expect(await probeAs("t", fake.url)).toMatchObject({ ok: false, refusesToken: null });
  });
});

test("a silent server is given up after its time", async () => {
  const server = createServer((socket) => socket.resume());
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  expect(await probe(new URL(`http://127.0.0.1:${port}`), 100)).toMatch(/no answer within 100 ms/);
  await new Promise((resolve) => {
    server.close(resolve);
  });
});
