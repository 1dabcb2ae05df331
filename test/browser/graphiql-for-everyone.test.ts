import axe from "axe-core";
import { describe, expect, test } from "vitest";
import { type GraphiqlSession, useGraphiql } from "./graphiql-session.ts";

const graphiql = useGraphiql();

const LINK = "{ plexConnection(id: 5) { id identifier user source { name slug enabled } } }";

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

async function boxOf({ page }: GraphiqlSession, selector: string) {
  const box = await page.locator(selector).boundingBox();
  if (!box) throw new Error(`${selector} is not to be seen`);
  return box;
}

test.each([{ phone: false }, { phone: true }])(
  "axe finds nothing serious in the editors, the answer, the note, the docs pane and the dialogs, phone: $phone",
  async (options) => {
    const session = await graphiql.open(options);
    const { page } = session;
    // The browser's own channel: the content security policy does not apply to it.
    await page.evaluate(axe.source);
    await session.ask("Link", LINK);
    await session.answerWith('"slug"');
    const findings = { answer: await seriousFindings(session) };

    const more = page.getByText("Other tokens, or your own");
    await more.click();
    Object.assign(findings, { note: await seriousFindings(session) });
    await more.click();

    await session.openDocs("Query");
    Object.assign(findings, { docs: await seriousFindings(session) });

    await page.getByRole("button", { name: "Open settings dialog" }).click();
    await page.getByText("Adjust how the interface appears").waitFor();
    Object.assign(findings, { settings: await seriousFindings(session) });

    expect(findings).toEqual({ answer: [], note: [], docs: [], settings: [] });
  },
);

describe("on a phone", () => {
  test("the note is short, and editor and answer stand one above the other, as wide as the screen", async () => {
    const session = await graphiql.open({ phone: true });
    await session.ask("Link", LINK);
    await session.answerWith('"slug"');

    const note = await boxOf(session, ".note");
    const editors = await boxOf(session, ".graphiql-editors");
    const answer = await boxOf(session, ".graphiql-response");
    expect(note.height).toBeLessThan(64);
    expect(editors.width).toBeGreaterThan(360);
    expect(answer.width).toBeGreaterThan(360);
    expect(editors.height).toBeGreaterThan(320);
    expect(answer.height).toBeGreaterThan(220);
    expect(answer.y).toBeGreaterThanOrEqual(editors.y + editors.height);
    expect(answer.y + answer.height).toBeLessThanOrEqual(844);
    expect(await session.page.evaluate("document.documentElement.scrollWidth")).toBe(390);
  });

  test("the docs pane covers the editors, which are out of reach then, and is closed where it was opened", async () => {
    const session = await graphiql.open({ phone: true });
    await session.openDocs("Query");

    expect((await boxOf(session, ".graphiql-plugin")).width).toBe(390);
    expect(await session.page.getByRole("button", { name: "Execute query" }).isVisible()).toBe(false);

    await session.page.getByRole("button", { name: "Hide Documentation Explorer" }).click();
    await session.page.getByRole("button", { name: "Execute query" }).waitFor();
    expect(await session.docs.count()).toBe(0);
  });
});

describe("with a keyboard", () => {
  test("Tab reaches and leaves every editor, by name", async () => {
    const { page } = await graphiql.open();
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

  test("Escape closes the docs pane and leads back to its button", async () => {
    const { page, docs, openDocs } = await graphiql.open();
    await openDocs("Query");
    await docs.getByRole("link").first().focus();
    await page.keyboard.press("Escape");
    await expect.poll(() => docs.count()).toBe(0);
    expect(await page.evaluate("document.activeElement.ariaLabel")).toBe("Show Documentation Explorer");
  });

  test("the tab in front is the current one", async () => {
    const { page, openTab } = await graphiql.open();
    await openTab("NotLinked");
    const current = page.locator('.graphiql-tabs [aria-current="true"]');
    await expect.poll(() => current.allInnerTexts()).toEqual(["NotLinked"]);
  });
});

test("what only routers ask for comes last in the docs pane", async () => {
  const { docs, openDocs } = await graphiql.open();
  await openDocs("Query");
  const fields = await docs.locator(".graphiql-doc-explorer-field-name").allInnerTexts();
  expect(fields[0]).not.toMatch(/^_/);
  expect(fields.slice(-2)).toEqual(["_entities", "_service"]);
});
