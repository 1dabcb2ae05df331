import type { Browser, BrowserContextOptions } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, vi } from "vitest";
import { createSandbox, type Sandbox } from "../../src/sandbox/sandbox.ts";
import { startGateway, type TestGateway } from "../support/gateway.ts";
import { launchChromium } from "./chromium.ts";

interface SessionOptions {
  colorScheme?: "light" | "dark";
  /** A telephone held upright, rather than a computer. */
  phone?: boolean;
  /** Default: a gateway in front of the sandbox. */
  url?: URL;
}

const COMPUTER: BrowserContextOptions = { viewport: { width: 1280, height: 800 } };

const PHONE: BrowserContextOptions = {
  viewport: { width: 390, height: 844 },
  deviceScaleFactor: 2,
  hasTouch: true,
  isMobile: true,
  userAgent: "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/143.0.0.0 Mobile Safari/537.36",
};

/** As browsers paste: a script may not read the clipboard, and both kinds of editor listen to the event. */
const PASTE = `(text) => {
  const clipboardData = new DataTransfer();
  clipboardData.setData("text/plain", text);
  const options = { clipboardData, bubbles: true, cancelable: true };
  document.activeElement.dispatchEvent(new ClipboardEvent("paste", options));
}`;

/** Chromium, the sandbox and a gateway for the tests of one file; each test must leave without complaints. */
export function useGraphiql() {
  // A browser on a machine that does other things, too.
  vi.setConfig({ testTimeout: 60_000 });
  const sessions: GraphiqlSession[] = [];
  let sandbox: Sandbox;
  let gateway: TestGateway;
  let browser: Browser;

  beforeAll(async () => {
    browser = await launchChromium();
    sandbox = await createSandbox();
    gateway = await startGateway({
      authentikUrl: sandbox.url,
      gateway: { graphiql: true, sandboxToken: sandbox.tokens.administrator.token },
    });
  }, 120_000);

  afterEach(async () => {
    for (const { close, complaints, foreignUrls } of sessions.splice(0)) {
      await close();
      expect([complaints, foreignUrls]).toEqual([[], []]);
    }
  });

  afterAll(async () => {
    await browser.close();
    await gateway.close();
    await sandbox.close();
  });

  return {
    sandboxUrl: () => sandbox.url,
    gatewayUrl: () => gateway.url,
    async open({ url = new URL("/graphql", gateway.url), ...options }: SessionOptions = {}) {
      const session = await openGraphiql(url, browser, options);
      sessions.push(session);
      return session;
    },
  };
}

/** GraphiQL as a person has it in front of them. */
export type GraphiqlSession = Awaited<ReturnType<typeof openGraphiql>>;

/** Opens it in a profile of its own with no network but the gateway. */
async function openGraphiql(
  url: URL,
  browser: Browser,
  { colorScheme = "light", phone = false }: SessionOptions,
) {
  const context = await browser.newContext({ ...(phone ? PHONE : COMPUTER), colorScheme });
  context.setDefaultTimeout(30_000);
  /** URLs asked for beyond the gateway's origin; each was refused. */
  const foreignUrls: string[] = [];
  await context.route(
    (asked) => asked.origin !== url.origin,
    (route) => {
      foreignUrls.push(route.request().url());
      return route.abort();
    },
  );
  const page = await context.newPage();
  /** What the browser complained about: refused by the content security policy, scripts that threw, failed requests. */
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  await page.goto(url.href);
  const headersEditor = page.locator('section[aria-label="Headers"] .graphiql-editor:not(.hidden)');
  const run = () => page.getByRole("button", { name: "Execute query" }).click();

  return {
    page,
    headersEditor,
    docs: page.locator(".graphiql-doc-explorer"),
    complaints,
    foreignUrls,
    /** Opens a tab of its own, pastes the query with this name into it, and runs it. */
    ask: async (name: string, selection: string) => {
      await page.getByRole("button", { name: "New tab" }).click();
      await page.getByRole("textbox", { name: "Query" }).focus();
      await page.keyboard.press("ControlOrMeta+a");
      await page.evaluate(`(${PASTE})(${JSON.stringify(`query ${name} ${selection}`)})`);
      await page.getByRole("button", { name, exact: true }).waitFor();
      await run();
    },
    /** Waits for an answer that holds the text and gives all of it. */
    answerWith: async (text: string) => {
      const answer = page.locator(".result-window", { hasText: text });
      await answer.waitFor();
      return answer.innerText();
    },
    setHeaders: async (json: string) => {
      await headersEditor.click();
      await page.keyboard.press("ControlOrMeta+a");
      await page.keyboard.insertText(json);
    },
    run,
    openTab: async (title: string) => {
      await page.getByRole("button", { name: title, exact: true }).click();
      await page.locator(".graphiql-query-editor", { hasText: `query ${title}` }).waitFor();
    },
    /** Opens the docs pane at the type. */
    openDocs: async (type: string) => {
      await page.getByRole("button", { name: "Show Documentation Explorer" }).click();
      await page.getByRole("link", { name: type, exact: true }).first().click();
      await page.locator(".graphiql-doc-explorer-title", { hasText: type }).waitFor();
    },
    /** Everything that this origin has stored in the browser. */
    stored: () => page.evaluate<string>("JSON.stringify([localStorage, sessionStorage, document.cookie])"),
    close: () => context.close(),
  };
}
