import { expect, test } from "vitest";
import { json, page, type Sending, startFakeAuthentik } from "../support/fake-authentik.ts";
import { connect, connectToFake } from "./connect.ts";

async function problemAt(url: URL, timeoutMs = 2_000): Promise<string> {
  const { ok, problem } = await connect(url).probe({ timeoutMs });
  expect(ok).toBe(problem === "");
  return problem;
}

test("an authentik is recognised by what it says without credentials, and none are sent", async () => {
  const { fake } = await connectToFake({ fake: { prefix: "/auth" } });
  expect(await problemAt(fake.url)).toBe("");
  expect(fake.paths()).toEqual(["/auth/api/v3/sources/user_connections/plex/?page_size=1"]);
  expect(fake.requests[0]?.authorization).toBeUndefined();
  fake.answer((_request, response) => json(403, { detail: "Anmeldedaten fehlen." })(response));
  expect(await problemAt(fake.url)).toBe("");
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
  ["500", page(500, "Server Error"), /answers 500: see authentik's own log/],
  ["502", page(502, "Bad Gateway"), /answers 502: authentik is down behind/],
  ["a page with 403", page(403, "Forbidden"), /answers 403 with a page instead of the API/],
  ["compression", json(200, {}, { "Content-Encoding": "gzip" }), /compressed \(Content-Encoding gzip/],
])("a server that answers with %s is told in words", async (_name, answer, words) => {
  const { fake } = await connectToFake({ fake: { answer: (_request, response) => answer(response) } });
  const problem = await problemAt(fake.url);
  expect(problem).toMatch(words);
  expect(problem).not.toContain("login.example");
  // Nothing of that tells whether the gateway's own token is good.
  const own = connect(fake.url, { serviceAuthorization: () => "Bearer t" });
  expect(await own.probe({ timeoutMs: 2_000 })).toEqual({ ok: false, problem, refusesToken: null });
});

test("nothing that listens, a name that is unknown, and what stays silent", async () => {
  const gone = await startFakeAuthentik();
  await gone.close();
  expect(await problemAt(gone.url)).toMatch(/ECONNREFUSED: nothing listens/);
  expect(await problemAt(new URL("http://no-such-host.invalid"))).toMatch(/DNS/);
  const { fake } = await connectToFake({ fake: { answer: () => {} } });
  expect(await problemAt(fake.url, 100)).toMatch(/no answer within 100 ms/);
});
