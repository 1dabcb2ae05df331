import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { addConnection, createDirectory, type Directory } from "../../src/sandbox/directory.ts";
import type { SandboxRelease } from "../../src/sandbox/releases.ts";
import { createSandbox, type Sandbox } from "../../src/sandbox/sandbox.ts";
import { readRecordedCases, type RecordedCase } from "./recordings.ts";

/** The directory of the first four recordings: all connections of the viewers were made at once. */
function firstDirectory(): Directory {
  const directory = createDirectory();
  for (const [pk, connection] of directory.connections) {
    if (pk < 1001) continue;
    const [created, lastUpdated] = ["2024-09-22T08:31:32.104982Z", "2024-09-23T08:31:32.104989Z"];
    directory.connections.set(pk, { ...connection, created, lastUpdated });
  }
  return directory;
}

/** The directory of the later recording: another connection of Alice, other names and keys here and there. */
function laterDirectory(): Directory {
  const directory = createDirectory();
  addConnection(directory, [10, 42, "studio", "31415926"], { position: 5 });
  addConnection(directory, [6, 43, "plex", "23456789"], { position: 1 });
  const mappings = {
    user_property_mappings: ["b42dd51f-b728-453f-accb-3de100f84355"],
    group_property_mappings: ["5c36e418-efc1-411f-888a-1138519b008c"],
  };
  const sources = directory.sources.map((source) => ({
    ...source,
    settings: { ...source.settings, ...("user_property_mappings" in source.settings && mappings) },
  }));
  for (const [pk, connection] of directory.connections) {
    directory.connections.set(pk, {
      ...connection,
      source: sources.find(({ slug }) => slug === connection.source.slug) ?? connection.source,
      lastUpdated: connection.lastUpdated.replace(".104989", ".104982"),
    });
  }
  return { ...directory, sources };
}

const releases: readonly [recorded: string, sandbox: SandboxRelease, hold: () => Directory][] = [
  ["2024.2.4", "2024.2", firstDirectory],
  ["2024.8.1", "2024.8", firstDirectory],
  ["2025.8.1", "2025.8", firstDirectory],
  ["2025.10.0-rc1", "2025.10", firstDirectory],
  ["2025.12.4", "2025.12", laterDirectory],
];

/** What differs: the recorded servers had no router in front, and lists were cut. */
const otherHeaders = ["connection", "date", "keep-alive", "x-powered-by", "content-length", "x-authentik-id"];

/** Where the recorded servers cannot be followed, each with its reason. */
const accepted: readonly {
  reason: string;
  in: (recorded: RecordedCase, release: string) => boolean;
  /** Keys whose values may differ, in any object of the body. */
  keys?: string;
  /** Whether rows of a list, or all of it, may differ. */
  part?: "pks" | "body";
}[] = [
  {
    reason:
      "users were seeded anew for each server, nobody had logged in, and each release has its permissions",
    in: ({ request, response }) => request.path.includes("/core/users/") && response.status === 200,
    keys: "date_joined last_login last_updated password_change_date uid uuid avatar system_permissions autocomplete",
  },
  {
    reason: "the later recording calls the group of the administrators otherwise",
    in: ({ request, response }) =>
      request.path.includes("/core/users/") && (JSON.stringify(response.body) ?? "").includes('"admins"'),
    keys: "name",
  },
  {
    reason: "the key of the built-in source, the last row, is drawn at random by each server",
    in: ({ request, response }) =>
      request.path.includes("/sources/all/") && response.results_cut !== undefined,
    part: "pks",
  },
  {
    reason: "the identifiers of 5 and 7 are equal: Postgres may return them either way, and did in 2024",
    in: ({ name }, release) => name === "list ?ordering=identifier&page_size=3" && release.startsWith("2024"),
    part: "body",
  },
  {
    reason: "the server ran a release candidate",
    in: ({ request }, release) => request.path.includes("/admin/version/") && release === "2025.10.0-rc1",
    keys: "version_current version_latest",
  },
];

function rowsOf(body: unknown): readonly { pk: unknown }[] {
  return (body as { results: { pk: unknown }[] }).results;
}

function headersOf(all: Iterable<[string, string]>): object {
  return Object.fromEntries([...all].filter(([header]) => !otherHeaders.includes(header)));
}

type Answer = Pick<RecordedCase["response"], "text" | "body" | "pks">;

/** What is compared of an answer, the recorded one or ours: cut as the recorded one was, without what may differ. */
function compared({ text, body, pks }: Answer, recorded: RecordedCase, release: string): unknown {
  const { response } = recorded;
  // Something was removed.
  if (response.body === undefined) return text;
  const differences = accepted.filter((difference) => difference.in(recorded, release));
  const parts = differences.map(({ part }) => part);
  const keys = differences.flatMap((difference) => difference.keys?.split(" ") ?? []);
  const whole = body ?? (JSON.parse(text ?? "") as object);
  const shown =
    response.results_cut === undefined
      ? whole
      : { ...whole, results: rowsOf(whole).slice(0, rowsOf(response.body).length) };
  return {
    body:
      !parts.includes("body") &&
      JSON.stringify(shown, (key, value: unknown) => (keys.includes(key) ? "may differ" : value)),
    pks: response.pks && !parts.includes("pks") && (pks ?? rowsOf(whole).map(({ pk }) => pk)),
  };
}

describe.each(releases)("what authentik %s answered, the sandbox answers as %s", (release, name, hold) => {
  let sandbox: Sandbox;
  const cases = readRecordedCases(release);

  beforeAll(async () => {
    sandbox = await createSandbox({ release: name, directory: hold() });
  });
  afterAll(() => sandbox.close());

  // One after the other: what is removed by one is not there for the next.
  test.each(cases)("$name", async (recorded) => {
    const { method, path, headers } = recorded.request;
    const actual = await fetch(new URL(path, sandbox.url), { method, headers });

    expect(actual.status).toBe(recorded.response.status);
    expect(headersOf(actual.headers)).toEqual(headersOf(Object.entries(recorded.response.headers)));
    expect(actual.headers.get("x-authentik-id")).toMatch(/^[\da-f]{32}$/);
    const came = compared({ text: await actual.text() }, recorded, release);
    expect(came).toEqual(compared(recorded.response, recorded, release));
  });
});
