import type { Browser, BrowserContext, Locator, Page } from "playwright-core";

/** GraphiQL as a person has it in front of them, in a profile of its own with no network but the gateway. */
export interface GraphiqlSession {
  readonly page: Page;
  /** When the browser was sent to the page, on the clock of `performance.now()`. */
  readonly askedAtMs: number;
  /** Waits for an answer that holds the text and gives all of it. */
  answerWith(text: string): Promise<string>;
  readonly headersEditor: Locator;
  /** What the browser complained about: refused by the content security policy, scripts that threw, failed requests. */
  readonly complaints: readonly string[];
  /** URLs asked for beyond the gateway's origin; each was refused. */
  readonly foreignUrls: readonly string[];
  setHeaders(json: string): Promise<void>;
  run(): Promise<void>;
  openTab(title: string): Promise<void>;
  /** Everything that this origin has stored in the browser. */
  stored(): Promise<string>;
  close(): Promise<void>;
}

/** Opens the page at `url` in a fresh profile. */
export async function openGraphiql(
  url: URL,
  { browser, colorScheme = "light" }: { browser: Browser; colorScheme?: "light" | "dark" },
): Promise<GraphiqlSession> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, colorScheme });
  context.setDefaultTimeout(15_000);
  const foreignUrls = await refuseForeign(context, url);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  const askedAtMs = performance.now();
  await page.goto(url.href);

  const headersEditor = page.locator('section[aria-label="Headers"] .graphiql-editor:not(.hidden)');

  return {
    page,
    askedAtMs,
    complaints,
    foreignUrls,
    async answerWith(text) {
      const answer = page.locator(".result-window", { hasText: text });
      await answer.waitFor();
      return answer.innerText();
    },
    headersEditor,
    async setHeaders(json) {
      await headersEditor.click();
      await page.keyboard.press("ControlOrMeta+a");
      await page.keyboard.insertText(json);
    },
    run: () => page.getByRole("button", { name: "Execute query" }).click(),
    async openTab(title) {
      await page.getByRole("tab", { name: title }).click();
      await page.locator(".graphiql-query-editor", { hasText: `query ${title}` }).waitFor();
    },
    stored: () => page.evaluate<string>("JSON.stringify([localStorage, sessionStorage, document.cookie])"),
    close: () => context.close(),
  };
}

async function refuseForeign(context: BrowserContext, { origin }: URL): Promise<string[]> {
  const foreignUrls: string[] = [];
  await context.route("**/*", async (route) => {
    const url = route.request().url();
    if (new URL(url).origin === origin) {
      await route.continue();
      return;
    }
    foreignUrls.push(url);
    await route.abort();
  });
  return foreignUrls;
}
