import type { Authentik, AuthentikClient } from "../../../src/authentik/client.ts";
import type { UpstreamRequest } from "../../../src/authentik/request.ts";
import { AuthentikError } from "../../../src/authentik/authentik-error.ts";
import { createPkLookup, type PkLookup } from "../../../src/authentik/lookup/by-pk.ts";
import { decodeObject, decodePk } from "../../../src/authentik/decoders.ts";
import { createTally, createUsage } from "../../../src/authentik/usage.ts";
import { listBody } from "../../support/wire-bodies.ts";
import { createSimulatedGateway, listOf, RETRIEVE, type Simulation } from "../scheduler/simulation.ts";

/** A list as one caller sees it: rows with the keys 1 to `rows`. */
interface SimulatedList {
  rows: number;
  /** Keys that this caller may see; all of them where absent. */
  visible?: number;
}

interface Row {
  pk: number;
}

/** The real lookup over the real queue and limit, in front of a simulated authentik of two workers. */
export function createSimulatedLookup(list: SimulatedList) {
  const { simulation, spentMs, send } = createSimulatedGateway(2);
  // Only what a lookup asks of it.
  const upstream = { list: true, rowCost: () => 0.08 } as Authentik;

  const clientOf = (callerKey: string): AuthentikClient => ({
    callerKey,
    upstream,
    ...createTally(createUsage()),
    memory: new Map(),
    delete: () => Promise.reject(new Error("nothing is deleted here")),
    abort() {},
    get(request: UpstreamRequest) {
      const { body, rows } = answer(list, request.path);
      const work = request.rows === undefined ? RETRIEVE : listOf(rows);
      return new Promise((resolve, reject) => {
        send(callerKey, work, () => {
          if (body instanceof AuthentikError) reject(body);
          else resolve(body);
        });
      });
    },
  });

  const lookup: PkLookup<Row> = createPkLookup<Row>({
    retrieve: (pk) => ({ route: "/things/{id}/", path: `/things/${pk}/` }),
    list: ({ page, pageSize, rows }) => ({
      route: "/things/",
      path: `/things/?page=${page}&page_size=${pageSize}`,
      rows,
    }),
    decode: (row, path) => ({ pk: decodePk(decodeObject(row, path), "pk", path) }),
  });

  return {
    simulation,
    /** One operation. */
    run: async (callerKey: string, pks: readonly number[]) => {
      const [startedAt, spentBefore] = [simulation.now(), spentMs()];
      const outcomes: unknown[] = await simulation.settle(lookup(clientOf(callerKey), pks));
      return { outcomes, ms: simulation.now() - startedAt, costMs: spentMs() - spentBefore };
    },
  };
}

/** What authentik says, and of how many rows. */
function answer({ rows, visible = rows }: SimulatedList, path: string): { body: unknown; rows: number } {
  const missing = { body: new AuthentikError("not-found", "no such thing"), rows: 0 };
  const pk = Number(/^\/things\/(\d+)\/$/.exec(path)?.[1] ?? 0);
  if (pk > 0) return pk <= visible ? { body: { pk }, rows: 1 } : missing;
  const query = new URL(path, "http://authentik").searchParams;
  const [page, pageSize] = [Number(query.get("page")), Number(query.get("page_size"))];
  const before = (page - 1) * pageSize;
  if (page > 1 && before >= visible) return missing;
  const length = Math.min(pageSize, visible - before);
  const found = Array.from({ length }, (_, index) => ({ pk: before + 1 + index }));
  return { body: listBody(found, { page, pageSize, count: visible }), rows: length };
}

/** So many keys of so many rows, as far as there are any, then keys that do not exist. */
export function pickKeys(simulation: Simulation, { keys, rows }: { keys: number; rows: number }): number[] {
  const picked = new Set<number>();
  while (picked.size < Math.min(keys, rows)) picked.add(1 + Math.floor(simulation.random() * rows));
  for (let pk = rows + 1; picked.size < keys; pk += 1) picked.add(pk);
  return [...picked];
}
