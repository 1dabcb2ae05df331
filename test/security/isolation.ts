import type { FakeAuthentik } from "../support/fake-authentik.ts";
import { sendJson } from "../support/fake-authentik.ts";
import type { Random } from "../support/random.ts";
import { connectionBody, listBody } from "../support/wire-bodies.ts";
import { ask } from "./support/ask.ts";

/** What a run found. */
export interface IsolationReport {
  answered: number;
  /** Values that belong to another caller. */
  foreign: number;
  failed: number;
  aborted: number;
}

const CALLERS = 500;
const CONNECTIONS = 40;

/** Makes authentik put each caller's token into everything it answers, late by chance, and wrongly now and then. */
export function echoCallers(authentik: FakeAuthentik, random: Random): void {
  authentik.answer((request, response) => {
    const authorization = request.headers.find(([name]) => name.toLowerCase() === "authorization")?.[1] ?? "";
    const identifier = authorization.replace("Bearer ", "");
    const answer = (): void => {
      if (response.destroyed) return;
      // What tempts caches to give it to somebody else.
      response.setHeader("Cache-Control", "public, max-age=60, s-maxage=60");
      response.setHeader("ETag", '"1"');
      const chance = random.next();
      if (chance < 0.025) response.destroy();
      else if (chance < 0.05) sendJson(response, 500, { detail: identifier });
      else if (request.path.includes("?")) {
        const rows = Array.from({ length: CONNECTIONS }, (_, index) =>
          connectionBody(index + 1, { identifier }),
        );
        sendJson(response, 200, listBody(rows, { page: 1, pageSize: 100, count: rows.length }));
      } else {
        const pk = Number(/(\d+)\/$/.exec(request.path)?.[1]);
        sendJson(response, 200, connectionBody(pk, { identifier }));
      }
    };
    setTimeout(answer, random.next() * 20);
  });
}

/** Asks as many callers at once and counts every identifier that is not the caller's own. */
export async function runIsolation(
  url: URL,
  { responses, concurrency, random }: { responses: number; concurrency: number; random: Random },
): Promise<IsolationReport> {
  const report: IsolationReport = { answered: 0, foreign: 0, failed: 0, aborted: 0 };
  let started = 0;
  const client = async (): Promise<void> => {
    while (started < responses) {
      started++;
      const token = `caller-${random.below(CALLERS)}-end`;
      const leaves = random.chance(0.05);
      const signal = leaves ? AbortSignal.timeout(1 + random.below(15)) : undefined;
      const { query, variables } = operation(random);
      try {
        const { text, codes } = await ask(url, query, { token, variables, ...(signal ? { signal } : {}) });
        report.answered++;
        if (codes.length > 0) report.failed++;
        for (const [seen] of text.matchAll(/caller-\d+-end/g)) if (seen !== token) report.foreign++;
      } catch {
        report.aborted++;
      }
    }
  };
  await Promise.all(Array.from({ length: concurrency }, client));
  return report;
}

/** One of the ways to ask: a single key, several in one operation, representations, and the same again. */
function operation(random: Random): { query: string; variables: Record<string, unknown> } {
  const pk = (): number => 1 + random.below(CONNECTIONS);
  switch (random.below(4)) {
    case 0:
      return { query: "query($id:ID!){plexConnection(id:$id){pk identifier}}", variables: { id: pk() } };
    case 1:
      return { query: "{plexConnection(id:7){identifier user}}", variables: {} };
    case 2: {
      const fields = Array.from({ length: 12 }, (_, i) => `c${i}:plexConnection(id:${pk()}){identifier}`);
      return { query: `{${fields.join(" ")}}`, variables: {} };
    }
    default: {
      const query =
        "query($r:[_Any!]!){_entities(representations:$r){...on PlexSourceConnection{identifier}}}";
      const r = Array.from({ length: 8 }, () => ({ __typename: "PlexSourceConnection", pk: pk() }));
      return { query, variables: { r } };
    }
  }
}
