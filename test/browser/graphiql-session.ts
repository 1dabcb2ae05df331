import type { Browser, BrowserContextOptions } from "playwright-core";

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

/** GraphiQL as a person has it in front of them. */
export type GraphiqlSession = Awaited<ReturnType<typeof openGraphiql>>;

/** Opens it, on a telephone held upright or on a computer, in a profile of its own with no network but the gateway. */
export async function openGraphiql(url: URL, browser: Browser, { phone = false } = {}) {
  const context = await browser.newContext(phone ? PHONE : COMPUTER);
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
    close: () => context.close(),
  };
}
