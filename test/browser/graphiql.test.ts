import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createSandbox, type Sandbox } from "../../src/sandbox/sandbox.ts";
import { startGateway, type TestGateway } from "../support/gateway.ts";
import { launchChromium } from "./chromium.ts";
import { openGraphiql } from "./graphiql-session.ts";

/** A person waits this long for first data at most; far above what is printed, for machines that do other things. */
const FIRST_DATA_BOUND_MS = 10_000;

let sandbox: Sandbox;
let gateway: TestGateway;
let browser: Browser;
let page: URL;

beforeAll(async () => {
  browser = await launchChromium();
  sandbox = await createSandbox();
  gateway = await startGateway({
    authentikUrl: sandbox.url,
    gateway: { graphiql: true, sandboxToken: sandbox.tokens.administrator.token },
  });
  page = new URL("/graphql", gateway.url);
}, 120_000);

afterAll(async () => {
  await browser.close();
  await gateway.close();
  await sandbox.close();
});

async function open(options: { colorScheme?: "light" | "dark" } = {}) {
  return openGraphiql(page, { browser, ...options });
}

test("shows a seeded connection after one click, with nothing but the gateway asked", async () => {
  const session = await open();
  await session.run();
  const answer = await session.answerWith('"identifier"');
  const firstDataMs = performance.now() - session.askedAtMs;

  console.log(
    `first data in GraphiQL: ${firstDataMs.toFixed(0)} ms after an empty browser was sent to the page`,
  );
  expect(firstDataMs).toBeLessThan(FIRST_DATA_BOUND_MS);
  expect(answer).toContain('"plexConnection": {');
  expect(answer).toContain('"slug": "plex"');
  expect(answer).not.toContain("errors");
  // The README shows the picture.
  if (process.env["UPDATE_SCREENSHOT"]) {
    await session.page.mouse.move(1279, 799);
    await session.page.screenshot({ path: "docs/images/graphiql.png" });
  }
  expect(session.complaints).toEqual([]);
  expect(session.foreignUrls).toEqual([]);
  await session.close();
});

test("says that the sandbox answers, and fills in its token", async () => {
  const session = await open();

  await session.page.getByText("An embedded stand-in with invented people answers here").waitFor();
  expect(await session.headersEditor.innerText()).toContain(
    '"Authorization": "Bearer token-of-administrator"',
  );
  await session.page.getByText("Try other tokens").click();
  await session.page.getByText("token-of-bob").waitFor();
  expect(session.complaints).toEqual([]);
  expect(session.foreignUrls).toEqual([]);
  await session.close();
});

test("explains the graph in the docs pane", async () => {
  const session = await open();
  const docs = session.page.locator(".graphiql-doc-explorer");

  await session.page.getByRole("button", { name: "Show Documentation Explorer" }).click();
  await docs.getByText("Query", { exact: true }).click();
  await docs.getByText("PlexSourceConnection", { exact: true }).click();

  await docs.getByText("Links one authentik user to one Plex account").waitFor();
  await docs.getByText("Number of the Plex account, as text").waitFor();
  expect(session.complaints).toEqual([]);
  expect(session.foreignUrls).toEqual([]);
  await session.close();
});

test("shows an error with its code beside the data that is fine", async () => {
  const session = await open();

  await session.openTab("Errors");
  await session.run();
  const answer = await session.answerWith('"BAD_USER_INPUT"');

  expect(answer).toContain('"nobody": null');
  expect(answer).toContain('"badId": null');
  expect(answer).toContain('"requestId"');
  expect(session.complaints).toEqual([]);
  expect(session.foreignUrls).toEqual([]);
  await session.close();
});

test("asks for several connections, and for entities as a router does", async () => {
  const session = await open();

  await session.openTab("SeveralConnections");
  await session.run();
  expect(await session.answerWith('"third"')).not.toContain("errors");

  await session.openTab("Federation");
  await session.run();
  expect(await session.answerWith('"BAD_USER_INPUT"')).toContain('"_entities"');
  expect(session.complaints).toEqual([]);
  expect(session.foreignUrls).toEqual([]);
  await session.close();
});

test("a token that was typed is used in the tabs opened next, and is forgotten with the page", async () => {
  const session = await open();

  await session.setHeaders('{"Authorization": "Bearer token-of-alice"}');
  await session.run();
  await session.answerWith('"identifier"');
  await session.openTab("SeveralConnections");
  expect(await session.headersEditor.innerText()).toContain("token-of-alice");
  await session.run();
  // Alice does not see the connection of Bob.
  await session.answerWith('"second": null');

  await expect.poll(() => session.stored()).toContain("graphiql:tabState");
  await session.page.reload();
  await session.headersEditor.waitFor();
  expect(await session.stored()).toContain("SeveralConnections");
  expect(await session.stored()).not.toMatch(/token-of|Bearer|Authorization/);
  expect(await session.page.getByRole("tab").count()).toBe(4);
  expect(await session.headersEditor.innerText()).toContain("token-of-administrator");
  expect(session.complaints).toEqual([]);
  expect(session.foreignUrls).toEqual([]);
  await session.close();
});

test("in front of an authentik, explains where a token comes from and works once one is pasted", async () => {
  const ownGateway = await startGateway({ authentikUrl: sandbox.url, gateway: { graphiql: true } });
  const session = await openGraphiql(new URL("/graphql", ownGateway.url), { browser });

  await session.page.getByText("How to create an API token").click();
  await session.page.getByText("App passwords do not work").waitFor();
  await session.run();
  await session.answerWith('"UNAUTHENTICATED"');
  await session.setHeaders('{"Authorization": "Bearer token-of-administrator"}');
  await session.run();
  expect(await session.answerWith('"identifier"')).toContain('"slug": "plex"');
  await session.close();
  await ownGateway.close();
});

test("its dialogs and its dark theme get by with the content security policy", async () => {
  const session = await open({ colorScheme: "dark" });

  await session.page.getByRole("button", { name: "Open settings dialog" }).click();
  await session.page.getByText("Adjust how the interface appears").waitFor();
  await session.page.getByRole("button", { name: "Dark" }).click();
  await session.page.keyboard.press("Escape");
  await session.page.getByRole("button", { name: "Open short keys dialog" }).click();
  await session.page.getByRole("heading", { name: "Short Keys" }).waitFor();
  expect(session.complaints).toEqual([]);
  expect(session.foreignUrls).toEqual([]);
  await session.close();
});

test("nothing that gets into the page runs, styles it, or takes the token elsewhere", async () => {
  const session = await open();

  const outcome = await session.page.evaluate<unknown>(`(async () => {
    const add = (name, properties) => document.body.append(Object.assign(document.createElement(name), properties));
    add("script", { textContent: "globalThis.injected = true" });
    add("style", { textContent: "#graphiql { visibility: hidden }" });
    add("img", { src: "https://example.org/?token" });
    add("iframe", { src: "https://example.org/" });
    const elsewhere = await fetch("https://example.org/?token").then(() => "sent", () => "refused");
    await new Promise((resolve) => setTimeout(resolve, 100));
    const { visibility } = getComputedStyle(document.getElementById("graphiql"));
    return { injected: globalThis.injected === true, visibility, elsewhere };
  })()`);

  expect(outcome).toEqual({ injected: false, visibility: "visible", elsewhere: "refused" });
  for (const directive of ["script-src", "style-src", "img-src", "default-src", "connect-src"])
    expect(session.complaints.join("\n")).toMatch(new RegExp(`directive:? ['"]${directive} `));
  // The policy stopped them before they became requests.
  expect(session.foreignUrls).toEqual([]);
  await session.close();
});

test("cannot be framed by another site", async () => {
  const session = await open();

  await session.page.goto("about:blank");
  await session.page.setContent(`<iframe src="${page.href}"></iframe>`);

  await expect.poll(() => session.page.frames()[1]?.url()).toBe("chrome-error://chromewebdata/");
  await session.close();
});
