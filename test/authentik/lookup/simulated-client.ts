import {
  type Authentik,
  type AuthentikClient,
  createUsage,
  type UpstreamRequest,
} from "../../../src/authentik/client.ts";
import { AuthentikError } from "../../../src/authentik/authentik-error.ts";
import { createPkLookup, type PkLookup } from "../../../src/authentik/lookup/by-pk.ts";
import { decodeObject, decodePk } from "../../../src/authentik/decoders.ts";
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
interface SimulatedLookup {
  simulation: Simulation;
  /** One operation. */
  run: (
    callerKey: string,
    pks: readonly number[],
  ) => Promise<{ outcomes: unknown[]; ms: number; costMs: number }>;
}

export function createSimulatedLookup(list: SimulatedList): SimulatedLookup {
  const { simulation, server, send } = createSimulatedGateway(2);
  // Only what a lookup asks of it.
  const upstream = { list: true, rowCost: () => 0.08 } as Authentik;

  const clientOf = (callerKey: string): AuthentikClient => ({
    callerKey,
    upstream,
    usage: createUsage(),
    memory: new Map(),
    delete: () => Promise.reject(new Error("nothing is deleted here")),
    abort() {},
    get(request: UpstreamRequest) {
      const body = answer(list, request.path);
      const work = request.rows === undefined ? RETRIEVE : listOf(rowsIn(body));
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
    async run(callerKey, pks) {
      const startedAt = simulation.now();
      const spentMs = server.spentMs();
      const outcomes = await simulation.settle(lookup(clientOf(callerKey), pks));
      return { outcomes, ms: simulation.now() - startedAt, costMs: server.spentMs() - spentMs };
    },
  };
}

/** What authentik says. */
function answer({ rows, visible = rows }: SimulatedList, path: string): unknown {
  const pk = /^\/things\/(\d+)\/$/.exec(path)?.[1];
  if (pk !== undefined) {
    return Number(pk) <= visible ? { pk: Number(pk) } : new AuthentikError("not-found", "no such thing");
  }
  const query = new URL(path, "http://authentik").searchParams;
  const page = Number(query.get("page"));
  const pageSize = Number(query.get("page_size"));
  const pages = Math.max(1, Math.ceil(visible / pageSize));
  const first = (page - 1) * pageSize + 1;
  const last = Math.min(visible, page * pageSize);
  if (page > pages) return new AuthentikError("not-found", "Invalid page.");
  return {
    pagination: {
      next: page < pages ? page + 1 : 0,
      count: visible,
      start_index: visible === 0 ? 0 : first,
      end_index: last,
    },
    results: Array.from({ length: last - first + 1 }, (_, index) => ({ pk: first + index })),
  };
}

function rowsIn(body: unknown): number {
  return typeof body === "object" && body !== null && "results" in body && Array.isArray(body.results)
    ? body.results.length
    : 0;
}

/** So many keys of so many rows, as far as there are any, then keys that do not exist. */
export function pickKeys(simulation: Simulation, { keys, rows }: { keys: number; rows: number }): number[] {
  const picked = new Set<number>();
  while (picked.size < Math.min(keys, rows)) picked.add(1 + Math.floor(simulation.random() * rows));
  for (let pk = rows + 1; picked.size < keys; pk += 1) picked.add(pk);
  return [...picked];
}
