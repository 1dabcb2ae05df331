import { readFileSync } from "node:fs";

/** One request that a real authentik was asked, and what it answered. */
export interface RecordedCase {
  name: string;
  request: { method: string; path: string; headers: Record<string, string> };
  response: {
    status: number;
    headers: Record<string, string>;
    /** The JSON of the response; of a long list only the first rows. */
    body?: unknown;
    /** A response that was not JSON, cut to what identifies it; pieces are apart by an ellipsis. */
    text?: string;
    /** Only there where a list was cut. */
    results_cut?: unknown;
    /** Keys of all rows where a list was cut. */
    pks?: (number | string)[];
  };
}

const served =
  /^\/api\/v3\/(?:sources\/user_connections\/plex\/|sources\/plex\/|sources\/all\/(?:\?|$)|core\/users\/|admin\/version\/)/;

/** What real servers were asked and the gateway never asks, so that the sandbox may say something else. */
const neverAsked: readonly { cases: RegExp; reason: string }[] = [
  { cases: /used_by/, reason: "no field shows what refers to an object" },
  {
    cases: /^id (?:[+]5|5?%2|%D9|%EF|1_0)/,
    reason: "Python takes these as numbers; keys leave as canonical digits",
  },
  {
    cases: /^id with \?(?:user|format|source__slug|search)/,
    reason: "one object is asked for without a filter",
  },
  { cases: /^accept /, reason: "the gateway accepts application/json" },
  { cases: /^accept-language (?:de|fr|zh)/, reason: "the gateway asks for English" },
  { cases: /\?page=(?:last)?$/, reason: "pages are asked for by number" },
  { cases: /\?search=%/, reason: "a search is a name or an account" },
  { cases: /\?uuid=/, reason: "users are asked for by key or name" },
  { cases: /\/plex\/5001\/$/, reason: "a recorded POST made it" },
  { cases: /^core\/users\/me\/ as operator/, reason: "roles are not shown" },
];

/** The recorded requests of one release that are of the kind that the gateway asks, in the order in which they ran. */
export function readRecordedCases(release: string): RecordedCase[] {
  const file = new URL(`../fixtures/recorded/${release}.json`, import.meta.url);
  const recording = JSON.parse(readFileSync(file, "utf8")) as { cases: RecordedCase[] };
  return recording.cases.filter(
    ({ name, request }) =>
      ["GET", "HEAD", "DELETE"].includes(request.method) &&
      served.test(request.path) &&
      !neverAsked.some(({ cases }) => cases.test(name) || cases.test(request.path)),
  );
}
