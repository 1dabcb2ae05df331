import { readFileSync } from "node:fs";

/** One request that a real authentik was asked, and what it answered. */
export interface RecordedCase {
  name: string;
  request: { method: string; path: string; headers: Record<string, string> };
  response: {
    status: number;
    headers: Record<string, string>;
    /** The JSON of the answer; of a long list only the first rows. */
    body?: unknown;
    /** An answer that was not JSON, cut to what identifies it; pieces are apart by an ellipsis. */
    text?: string;
    results_cut?: { kept: number; of: number };
    /** Keys of all rows where a list was cut. */
    pks?: (number | string)[];
  };
}

const served = /^\/api\/v3\/sources\/(?:user_connections\/plex|plex|all)(?:[/?]|$)/;

/** The recorded requests of one release that read what the sandbox serves. */
export function readRecordedCases(release: string): RecordedCase[] {
  const file = new URL(`../fixtures/recorded/${release}.json`, import.meta.url);
  const recording = JSON.parse(readFileSync(file, "utf8")) as { cases: RecordedCase[] };
  return recording.cases.filter(
    ({ request }) => ["GET", "HEAD", "OPTIONS"].includes(request.method) && served.test(request.path),
  );
}
