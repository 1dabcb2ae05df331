import { expect, test } from "vitest";
import { json, page, type Sending, startFakeAuthentik } from "../support/fake-authentik.ts";
import { household } from "../support/fake-household.ts";
import { connect, connectToFake } from "./connect.ts";

async function problemAt(url: URL, timeoutMs = 2_000): Promise<string> {
  const { ok, problem } = await connect(url).probe({ timeoutMs });
  expect(ok).toBe(problem === "");
  return problem;
}

/** In service mode. */
function probeAs(token: string, url: URL) {
  return connect(url, { serviceAuthorization: () => `Bearer ${token}` }).probe({ timeoutMs: 2_000 });
}

test("an authentik is recognised by what it says without credentials, and none are sent", async () => {
  const { fake } = await connectToFake({ fake: { prefix: "/auth" } });
  expect(await problemAt(fake.url)).toBe("");
  expect(fake.paths()).toEqual(["/auth/api/v3/sources/user_connections/plex/?page_size=1"]);
  expect(fake.requests[0]?.authorization).toBeUndefined();
  fake.answer((_request, response) => json(200, { results: [] })(response));
  expect(await problemAt(fake.url)).toMatch(/no authentik/);
});

test.each<[string, Sending, RegExp]>([
  ["a page", page(200, "Welcome"), /a page instead of the API/],
  ["a page with 404", page(404, "Not Found"), /no API at \/api\/v3\/.*path prefix/],
  [
    "a redirect",
    (response) => response.writeHead(302, { Location: "https://login.example" }).end(),
    /redirects \(302\)/,
  ],
  ["starting", json(503, { error: "authentik starting" }), /authentik is still starting/],
  ["502", page(502, "Bad Gateway"), /answers 502: authentik is down behind/],
  [
    "what TLS ports say to plain HTTP",
    page(400, "The plain HTTP request was sent to HTTPS port"),
    /answers 400: the port speaks TLS: try https:\/\/$/,
  ],
  ["500", page(500, "Server Error"), /answers 500/],
  ["a page with 401", page(401, "Unauthorized"), /answers 401 with a page instead of the API/],
  ["a page with 403", page(403, "Forbidden"), /answers 403 with a page instead of the API/],
])(
  "a server that answers with %s is told in words, and tells nothing about a token",
  async (_name, answer, words) => {
    const { fake } = await connectToFake({ fake: { answer: (_request, response) => answer(response) } });
    const problem = await problemAt(fake.url);
    expect(problem).toMatch(words);
    expect(problem).not.toContain("login.example");
    expect(await probeAs("t", fake.url)).toEqual({ ok: false, problem, refusesToken: null });
  },
);

test("nothing that listens, a name that is unknown, and what stays silent", async () => {
  const gone = await startFakeAuthentik();
  await gone.close();
  expect(await problemAt(gone.url)).toMatch(/ECONNREFUSED: nothing listens/);
  expect(await problemAt(new URL("http://no-such-host.invalid"))).toMatch(/DNS/);
  const { fake } = await connectToFake({ fake: { answer: () => {} } });
  expect(await problemAt(fake.url, 100)).toMatch(/no answer within 100 ms/);
});

test("in service mode the probe finds that the gateway's own token is good, or dead, without a caller", async () => {
  const { fake } = await connectToFake({ fake: { sandbox: { release: "2025.4", directory: household() } } });
  expect(await probeAs("token-of-alice", fake.url)).toEqual({ ok: true, problem: "", refusesToken: false });
  expect(await probeAs("expired", fake.url)).toEqual({
    ok: false,
    problem: `${fake.url.origin} refuses AUTHENTIK_TOKEN: it is invalid or expired`,
    refusesToken: true,
  });
  expect(fake.paths()).toEqual(["/api/v3/core/users/me/", "/api/v3/core/users/me/"]);
});
