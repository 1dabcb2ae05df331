import { readdirSync, readFileSync } from "node:fs";
import type { ServerResponse } from "node:http";

/** One request that a real authentik was asked, and what it answered. */
export interface RecordedCase {
  name: string;
  request: { method: string; path: string; headers: Record<string, string> };
  response: {
    status: number;
    headers: Record<string, string>;
    /** The JSON of the response; of a long list only the first rows. */
    body?: unknown;
    /** A response that was not JSON. */
    text?: string;
    /** Only there where a list was cut. */
    results_cut?: unknown;
    /** Keys of all rows where a list was cut. */
    pks?: (number | string)[];
  };
}

const folder = new URL("../fixtures/recorded/", import.meta.url);

/** Releases of which a real server was recorded, oldest first. */
export const RECORDED_RELEASES = readdirSync(folder)
  .filter((file) => /^\d{4}\..*\.json$/.test(file))
  .map((file) => file.slice(0, -".json".length))
  .toSorted((a, b) => a.localeCompare(b, "en", { numeric: true }));

/** Every recorded request of one release, in the order in which they ran. */
export function readRecording(release: string): RecordedCase[] {
  const text = readFileSync(new URL(`${release}.json`, folder), "utf8");
  return (JSON.parse(text) as { cases: RecordedCase[] }).cases; // see the README there
}

/** Answers as the recorded server did, to the letter. */
export function sendRecorded(response: ServerResponse, { response: recorded }: RecordedCase): void {
  const { status, headers, body, text = "" } = recorded;
  const sent = body === undefined ? text : JSON.stringify(body);
  response.writeHead(status, { ...headers, "content-length": Buffer.byteLength(sent) }).end(sent);
}

/** What the gateway asks for. */
const ASKED =
  /^\/api\/v3\/(?:sources\/user_connections\/plex\/(?:[1-9]\d{0,9}\/|\?.*)?|sources\/(?:plex|all)\/(?:\?.*)?|core\/users\/(?:\d+\/|me\/|\?.*)?|admin\/version\/)$/;

/** What real servers were asked and the gateway never asks, so that the sandbox may say something else. */
const neverAsked: readonly { cases: RegExp; reason: string }[] = [
  { cases: /^accept /, reason: "the gateway accepts application/json" },
  { cases: /^accept-language (?:de|fr|zh)/, reason: "the gateway asks for English" },
  { cases: /\?page=(?:last)?$/, reason: "pages are asked for by number" },
  { cases: /\?search=%/, reason: "a search is a name or an account" },
  { cases: /\?uuid=|include_groups/, reason: "users are asked for by key or name, with their groups" },
  { cases: /\/plex\/5001\/$/, reason: "a recorded POST made it" },
  { cases: /two Authorization headers/, reason: "there is one credential" },
  { cases: /^core\/users\/me\/ as operator/, reason: "roles are not shown" },
];

/** Those that are of the kind that the gateway asks. */
export function readRecordedCases(release: string): RecordedCase[] {
  return readRecording(release).filter(
    ({ name, request }) =>
      ["GET", "DELETE"].includes(request.method) &&
      ASKED.test(request.path) &&
      isTold(request) &&
      !neverAsked.some(({ cases }) => cases.test(name) || cases.test(request.path)),
  );
}

/** Everything is asked with a bearer token, but for the list that tells whether authentik is there. */
function isTold({
  path,
  headers: { Authorization: value, Cookie: cookie },
}: RecordedCase["request"]): boolean {
  if (value === undefined) return path.endsWith("/plex/") && cookie === undefined;
  return /^bearer [\x21-\x7e]+$/i.test(value);
}
