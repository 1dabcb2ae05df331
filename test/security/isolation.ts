import { Pool } from "undici";
import { sendJson, type FakeAuthentik } from "../support/fake-authentik.ts";
import type { TestGatewayOptions } from "../support/gateway.ts";
import type { Random } from "../support/random.ts";
import { connectionBody, listBody } from "../support/wire-bodies.ts";
import { times } from "./adversarial-documents.ts";

/** What a run found. */
export interface IsolationReport {
  answered: number;
  /** Values that were compared. */
  values: number;
  /** Values that belong to another caller. */
  foreign: number;
  failed: number;
  aborted: number;
}

/** The ways in which work is shared, or not. */
export const SET_UPS: [name: string, options: Omit<TestGatewayOptions, "authentikUrl">][] = [
  ["coalescing and lists, as by default", {}],
  [
    "neither coalescing nor lists",
    { gateway: { coalesce: false }, authentik: { coalesce: false, list: false } },
  ],
  ["the cache for each caller", { authentik: { cacheTtlMs: 1_000 } }],
];

const CALLERS = 500;
const CONNECTIONS = 20;

/** The whole list, written once: most of what this costs would be writing it again. */
const LIST = JSON.stringify(
  listBody(
    Array.from({ length: CONNECTIONS }, (_, index) => connectionBody(index + 1, { identifier: "TOKEN" })),
  ),
);

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
      else if (chance < 0.075) sendJson(response, 500, { detail: identifier });
      else if (request.path.includes("?"))
        response
          .setHeader("Content-Type", "application/json")
          .end(LIST.replaceAll('"TOKEN"', JSON.stringify(identifier)));
      else {
        const pk = Number(/(\d+)\/$/.exec(request.path)?.[1]);
        sendJson(response, 200, connectionBody(pk, { identifier }));
      }
    };
    setTimeout(answer, random.next() * 6);
  });
}

/** Asks as many callers at once and counts every identifier that is not the caller's own. */
export async function runIsolation(
  url: URL,
  { responses, concurrency, random }: { responses: number; concurrency: number; random: Random },
): Promise<IsolationReport> {
  const report: IsolationReport = { answered: 0, values: 0, foreign: 0, failed: 0, aborted: 0 };
  const pool = new Pool(url.origin, { connections: concurrency });
  let started = 0;
  const client = async (): Promise<void> => {
    while (started < responses) {
      started++;
      const token = `caller-${random.below(CALLERS)}-end`;
      const leaves = random.chance(0.05);
      try {
        const { body } = await pool.request({
          method: "POST",
          path: "/graphql",
          headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
          body: JSON.stringify(operation(random)),
          ...(leaves && { signal: AbortSignal.timeout(1 + random.below(15)) }),
        });
        const text = await body.text();
        report.answered++;
        if (text.includes('"errors":')) report.failed++;
        for (const [seen] of text.matchAll(/caller-\d+-end/g)) {
          report.values++;
          if (seen !== token) report.foreign++;
        }
      } catch {
        report.aborted++;
      }
    }
  };
  await Promise.all(Array.from({ length: concurrency }, client));
  await pool.close();
  return report;
}

const TWELVE = `query(${times(12, (i) => `$i${i}:ID!`)}){${times(12, (i) => `c${i}:plexConnection(id:$i${i}){identifier}`)}}`;
const ENTITIES = "query($r:[_Any!]!){_entities(representations:$r){...on PlexSourceConnection{identifier}}}";

/** One of the ways to ask: a single key, several in one operation, representations, and the same again. */
function operation(random: Random): { query: string; variables?: Record<string, unknown> } {
  const pk = (): number => 1 + random.below(CONNECTIONS);
  switch (random.below(4)) {
    case 0:
      return { query: "query($id:ID!){plexConnection(id:$id){pk identifier}}", variables: { id: pk() } };
    case 1:
      return { query: "{plexConnection(id:7){identifier user}}" };
    case 2: {
      const ids = Array.from({ length: 12 }, (_, index) => [`i${index}`, pk()] as const);
      return { query: TWELVE, variables: Object.fromEntries(ids) };
    }
    default: {
      const r = Array.from({ length: 8 }, () => ({ __typename: "PlexSourceConnection", pk: pk() }));
      return { query: ENTITIES, variables: { r } };
    }
  }
}
