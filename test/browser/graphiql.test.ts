import { expect, onTestFinished, test } from "vitest";
import { startGateway } from "../support/gateway.ts";
import { useGraphiql } from "./graphiql-session.ts";

const graphiql = useGraphiql();

test("answers what people ask first after one click, with nothing but the gateway asked", async () => {
  const askedAtMs = performance.now();
  const session = await graphiql.open();
  await session.run();
  const answer = await session.answerWith('"authentikViewer"');
  const firstDataMs = performance.now() - askedAtMs;

  console.log(
    `first data in GraphiQL: ${firstDataMs.toFixed(0)} ms after an empty browser was sent to the page`,
  );
  // A person waits this long at most; far above what is printed, for machines that do other things.
  expect(firstDataMs).toBeLessThan(10_000);
  expect(answer).toContain('"username": "administrator"');
  expect(answer).not.toContain("errors");
});

test.each([
  { phone: false, picture: "docs/images/graphiql.png" },
  { phone: true, picture: "docs/images/graphiql-phone.png" },
])("shows all links of the sources with names, phone: $phone", async ({ phone, picture }) => {
  const session = await graphiql.open({ phone });
  await session.openTab("LinksOfSources");
  await session.run();
  expect(await session.answerWith('"totalCount"')).not.toContain("errors");
  if (process.env["UPDATE_SCREENSHOT"]) {
    await session.page.mouse.move(0, 0);
    await session.page.screenshot({ path: picture });
  }
});

test("fills in the variables of the examples that have some", async () => {
  const session = await graphiql.open();
  await session.openTab("PlexAccount");
  await session.run();
  expect(await session.answerWith('"owner"')).toContain('"username": "alice"');

  await session.openTab("Federation");
  await session.run();
  // One entity has no such key; its error has a code, and the others answer beside it.
  const answer = await session.answerWith('"BAD_USER_INPUT"');
  expect(answer).toContain('"requestId"');
  expect(answer).toContain('"__typename": "PlexAccount"');
});

test("says that the sandbox answers, and fills in its token", async () => {
  const session = await graphiql.open();

  await session.page.getByText("Invented people answer, not your authentik").waitFor();
  expect(await session.headersEditor.innerText()).toContain(
    '"Authorization": "Bearer token-of-administrator"',
  );
  await session.page.getByText("Other tokens").click();
  await session.page.getByText("token-of-bob").waitFor();
});

test("explains the graph in the docs pane", async () => {
  const { docs, openDocs } = await graphiql.open();

  await openDocs("PlexSourceConnection");

  const text = await docs.innerText();
  expect(text).toContain("Links one authentik user to one Plex account");
  expect(text).toContain("Number of the Plex account, as text");
});

test("a token that was typed is used in the tabs opened next, and is forgotten with the page", async () => {
  const session = await graphiql.open();

  await session.setHeaders('{"Authorization": "Bearer token-of-alice"}');
  await session.openTab("NotLinked");
  expect(await session.headersEditor.innerText()).toContain("token-of-alice");
  await session.ask("Others", "{ hers: plexConnection(id: 5) { id } his: plexConnection(id: 6) { id } }");
  // Alice does not see the connection of Bob.
  await session.answerWith('"his": null');

  // Tabs are stored a while after they change: a page that is loaded before has one more.
  const tabs = () => session.page.evaluate<string>("localStorage['graphiql:tabState']");
  await expect.poll(tabs).toContain("query Others");
  await session.page.reload();
  await session.headersEditor.waitFor();
  expect(await session.stored()).toContain("NotLinked");
  expect(await session.stored()).not.toMatch(/token-of|Bearer|Authorization/);
  expect(await session.page.locator(".graphiql-tab").count()).toBe(6);
  expect(await session.headersEditor.innerText()).toContain("token-of-administrator");
});

test("in front of an authentik, explains where a token comes from and works once one is pasted", async () => {
  const ownGateway = await startGateway({
    authentikUrl: graphiql.sandboxUrl(),
    gateway: { graphiql: true },
  });
  onTestFinished(() => ownGateway.close());
  const session = await graphiql.open({ url: new URL("/graphql", ownGateway.url) });

  await session.page.getByText("Where to get a token").click();
  await session.page.getByText("App passwords do not work").waitFor();
  await session.page.getByText("goauthentik.io/api").waitFor();
  await session.ask("Link", '{ plexConnection(id: "5") { identifier } }');
  await session.answerWith('"UNAUTHENTICATED"');
  await session.setHeaders('{"Authorization": "Bearer token-of-administrator"}');
  await session.run();
  expect(await session.answerWith('"identifier"')).not.toContain("errors");
});

test("its dialogs and its dark theme get by with the content security policy", async () => {
  const { page } = await graphiql.open({ colorScheme: "dark" });

  await page.getByRole("button", { name: "Open settings dialog" }).click();
  await page.getByText("Adjust how the interface appears").waitFor();
  await page.getByRole("button", { name: "Dark" }).click();
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Open short keys dialog" }).click();
  await page.getByRole("heading", { name: "Short Keys" }).waitFor();
  expect(await page.evaluate("getComputedStyle(document.body).colorScheme")).toBe("dark");
});

test("nothing that gets into the page runs, styles it, or takes the token elsewhere", async () => {
  const session = await graphiql.open();

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
  // The policy stopped them before they became requests.
  for (const directive of ["script-src", "style-src", "img-src", "default-src", "connect-src"]) {
    const complaint = new RegExp(`directive:? ['"]${directive} `);
    // oxlint-disable-next-line no-await-in-loop -- each is one more complaint of the same page
    await expect.poll(() => session.complaints.join("\n"), { timeout: 10_000 }).toMatch(complaint);
  }
  session.complaints.length = 0;
});

test("cannot be framed by another site", async () => {
  const session = await graphiql.open();

  await session.page.goto("about:blank");
  await session.page.setContent(`<iframe src="${graphiql.gatewayUrl().href}graphql"></iframe>`);

  await expect.poll(() => session.page.frames()[1]?.url()).toBe("chrome-error://chromewebdata/");
  session.complaints.splice(0);
});
