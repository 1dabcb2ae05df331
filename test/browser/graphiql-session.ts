import type { Browser, BrowserContextOptions, Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, vi } from "vitest";
import { createSandbox, type Sandbox } from "../../src/sandbox/sandbox.ts";
import { startGateway, type TestGateway } from "../support/gateway.ts";
import { launchChromium } from "./chromium.ts";

/** GraphiQL as a person has it in front of them, in a profile of its own with no network but the gateway. */
export interface GraphiqlSession {
  readonly page: Page;
  /** When the browser was sent to the page, on the clock of `performance.now()`. */
  readonly askedAtMs: number;
  readonly headersEditor: Locator;
  readonly docs: Locator;
  /** What the browser complained about: refused by the content security policy, scripts that threw, failed requests. */
  readonly complaints: string[];
  /** URLs asked for beyond the gateway's origin; each was refused. */
  readonly foreignUrls: string[];
  /** Opens a tab of its own, pastes the query with this name into it, and runs it. */
  readonly ask: (name: string, selection: string) => Promise<void>;
  /** Waits for an answer that holds the text and gives all of it. */
  readonly answerWith: (text: string) => Promise<string>;
  readonly setHeaders: (json: string) => Promise<void>;
  readonly run: () => Promise<void>;
  readonly openTab: (title: string) => Promise<void>;
  /** Opens the docs pane at the type. */
  readonly openDocs: (type: string) => Promise<void>;
  /** Everything that this origin has stored in the browser. */
  readonly stored: () => Promise<string>;
  readonly close: () => Promise<void>;
}

export interface SessionOptions {
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

async function openGraphiql(
  url: URL,
  browser: Browser,
  { colorScheme = "light", phone = false }: SessionOptions,
): Promise<GraphiqlSession> {
  const context = await browser.newContext({ ...(phone ? PHONE : COMPUTER), colorScheme });
  context.setDefaultTimeout(30_000);
  const foreignUrls: string[] = [];
  await context.route(
    (asked) => asked.origin !== url.origin,
    (route) => {
      foreignUrls.push(route.request().url());
      return route.abort();
    },
  );
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  const askedAtMs = performance.now();
  await page.goto(url.href);
  const headersEditor = page.locator('section[aria-label="Headers"] .graphiql-editor:not(.hidden)');
  const run = () => page.getByRole("button", { name: "Execute query" }).click();

  return {
    page,
    askedAtMs,
    headersEditor,
    docs: page.locator(".graphiql-doc-explorer"),
    complaints,
    foreignUrls,
    async ask(name, selection) {
      await page.getByRole("button", { name: "New tab" }).click();
      await page.getByRole("textbox", { name: "Query" }).focus();
      await page.keyboard.press("ControlOrMeta+a");
      await page.evaluate(`(${PASTE})(${JSON.stringify(`query ${name} ${selection}`)})`);
      await page.getByRole("button", { name, exact: true }).waitFor();
      await run();
    },
    async answerWith(text) {
      const answer = page.locator(".result-window", { hasText: text });
      await answer.waitFor();
      return answer.innerText();
    },
    async setHeaders(json) {
      await headersEditor.click();
      await page.keyboard.press("ControlOrMeta+a");
      await page.keyboard.insertText(json);
    },
    run,
    async openTab(title) {
      await page.getByRole("button", { name: title, exact: true }).click();
      await page.locator(".graphiql-query-editor", { hasText: `query ${title}` }).waitFor();
    },
    async openDocs(type) {
      await page.getByRole("button", { name: "Show Documentation Explorer" }).click();
      await page.getByRole("link", { name: type, exact: true }).first().click();
      await page.locator(".graphiql-doc-explorer-title", { hasText: type }).waitFor();
    },
    stored: () => page.evaluate<string>("JSON.stringify([localStorage, sessionStorage, document.cookie])"),
    close: () => context.close(),
  };
}
