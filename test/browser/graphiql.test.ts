import axe from "axe-core";
import type { Browser } from "playwright-core";
import { beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { createSandbox, type Sandbox } from "../../src/sandbox/sandbox.ts";
import { startGateway, type TestGateway } from "../support/gateway.ts";
import { launchChromium } from "./chromium.ts";
import { type GraphiqlSession, openGraphiql } from "./graphiql-session.ts";

// A browser on a machine that does other things, too.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 });

let browser: Browser;
let sandbox: Sandbox;
let gateway: TestGateway;

beforeAll(async () => {
  browser = await launchChromium();
  sandbox = await createSandbox();
  const sandboxToken = sandbox.tokens.administrator.token;
  gateway = await startGateway({ authentikUrl: sandbox.url, gateway: { graphiql: true, sandboxToken } });
  return async () => {
    await browser.close();
    await gateway.close();
    await sandbox.close();
  };
});

/** Opens it for the running test, which must leave it without complaints. */
async function open({ of = gateway, phone = false } = {}): Promise<GraphiqlSession> {
  const session = await openGraphiql(new URL("/graphql", of.url), browser, { phone });
  const { close, complaints, foreignUrls } = session;
  onTestFinished(async () => {
    await close();
    // The browser complains of what the content security policy refuses, dialogs and themes among it.
    expect([complaints, foreignUrls]).toEqual([[], []]);
  });
  return session;
}

test("answers what people ask first after one click, and what they ask next in the tab beside it", async () => {
  const askedAtMs = performance.now();
  const session = await open();
  await session.run();
  const answer = await session.answerWith('"authentikViewer"');
  const firstDataMs = performance.now() - askedAtMs;

  console.log(
    `first data in GraphiQL: ${firstDataMs.toFixed(0)} ms after an empty browser asked for the page`,
  );
  // A person waits this long at most; far above what is printed, for machines that do other things.
  expect(firstDataMs).toBeLessThan(10_000);
  expect(answer).toContain('"username": "administrator"');
  expect(answer).not.toContain("errors");

  // Its variables are filled in.
  await session.openTab("PlexAccount");
  await session.run();
  expect(await session.answerWith('"owner"')).toContain('"username": "alice"');
});

/** Findings of axe that keep people out, one a line: rule, element, reason; in the dark those that depend on colours. */
async function seriousFindings({ page }: GraphiqlSession): Promise<string[]> {
  const findings = async (options: object) =>
    page.evaluate<string[]>(`axe.run(${JSON.stringify(options)}).then(({ violations }) => violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => [id, target, failureSummary].join(" "))))`);
  const inLight = await findings({ resultTypes: ["violations"] });
  await page.emulateMedia({ colorScheme: "dark" });
  const inDark = await findings({ resultTypes: ["violations"], runOnly: ["color-contrast"] });
  await page.emulateMedia({ colorScheme: "light" });
  return [...inLight, ...inDark];
}

test.each([
  { phone: false, picture: "docs/images/graphiql.png" },
  { phone: true, picture: "docs/images/graphiql-phone.png" },
])(
  "shows all links; axe finds nothing serious in editors, answer, note, docs pane and dialog, phone: $phone",
  async ({ phone, picture }) => {
    const session = await open({ phone });
    const { page } = session;
    await session.openTab("LinksOfSources");
    await session.run();
    expect(await session.answerWith('"totalCount"')).not.toContain("errors");
    if (process.env["UPDATE_SCREENSHOT"]) {
      await page.mouse.move(0, 0);
      await page.screenshot({ path: picture });
    }

    // The browser's own channel: the content security policy does not apply to it.
    await page.evaluate(axe.source);
    const findings = [await seriousFindings(session)];
    const more = page.getByText("Other tokens, or your own");
    await more.click();
    findings.push(await seriousFindings(session));
    await more.click();
    await session.openDocs("Query");
    findings.push(await seriousFindings(session));
    await page.getByRole("button", { name: "Open settings dialog" }).click();
    await page.getByText("Adjust how the interface appears").waitFor();
    findings.push(await seriousFindings(session));
    expect(findings).toEqual([[], [], [], []]);
  },
);

test("with a keyboard, Tab reaches and leaves every editor, by name", async () => {
  const { page } = await open();
  await page.getByRole("textbox", { name: "Query" }).focus();
  const names = new Set<unknown>();
  for (let presses = 0; presses < 25; presses += 1) {
    names.add(await page.evaluate("document.activeElement.ariaLabel"));
    await page.keyboard.press("Tab");
  }
  expect([...names]).toEqual(
    expect.arrayContaining(["Query", "Execute query (Ctrl-Enter)", "Headers", "Response"]),
  );
});

test("a token that was typed is used in the tabs opened next, and is forgotten with the page", async () => {
  const session = await open();
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
  const stored = await session.page.evaluate<string>(
    "JSON.stringify([localStorage, sessionStorage, document.cookie])",
  );
  expect(stored).toContain("NotLinked");
  expect(stored).not.toMatch(/token-of|Bearer|Authorization/);
  expect(await session.headersEditor.innerText()).toContain("token-of-administrator");
});

test("in front of an authentik, explains where a token comes from and works once one is pasted", async () => {
  const own = await startGateway({ authentikUrl: sandbox.url, gateway: { graphiql: true } });
  onTestFinished(() => own.close());
  const session = await open({ of: own });
  await session.page.getByText("Where to get a token").click();
  await session.page.getByText("App passwords do not work").waitFor();
  await session.ask("Link", '{ plexConnection(id: "5") { identifier } }');
  await session.answerWith('"UNAUTHENTICATED"');
  await session.setHeaders('{"Authorization": "Bearer token-of-administrator"}');
  await session.run();
  expect(await session.answerWith('"identifier"')).not.toContain("errors");
});
