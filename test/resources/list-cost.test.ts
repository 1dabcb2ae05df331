import { afterEach, expect, test } from "vitest";
import { type FakeAuthentik, startFakeAuthentik } from "../support/fake-authentik.ts";
import { startGateway, type TestGateway } from "../support/gateway.ts";

/** What a row in a list costs authentik, in retrieves; the list itself costs one. See docs/decisions/0001. */
const ROW_COST = 0.08;

const KEYS = [1, 2, 3, 5, 10, 20, 50, 100, 200, 500];
const DIRECTORIES = [10, 30, 100, 300, 1_000, 3_000, 10_000];
const OWN_ROWS = 3;

let authentik: FakeAuthentik | null = null;
let gateway: TestGateway | null = null;

afterEach(async () => {
  await gateway?.close();
  await authentik?.close();
});

/** Cost of what authentik was asked, in retrieves. */
function costOf(requests: FakeAuthentik["requests"], visibleRows: number): number {
  let cost = 0;
  for (const { path } of requests) {
    const query = new URL(path, "http://authentik").searchParams;
    const pageSize = Number(query.get("page_size"));
    const skipped = (Number(query.get("page")) - 1) * pageSize;
    cost += query.size === 0 ? 1 : 1 + ROW_COST * Math.max(0, Math.min(pageSize, visibleRows - skipped));
  }
  return cost;
}

/** Whole list in pages of 100. */
function wholeListCost(visibleRows: number): number {
  return Math.max(1, Math.ceil(visibleRows / 100)) + ROW_COST * visibleRows;
}

/** Numbers from 0 up to 1, the same in every run. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function pick(random: () => number, { keys, rows }: { keys: number; rows: number }): number[] {
  const picked = new Set<number>();
  while (picked.size < Math.min(keys, rows)) picked.add(1 + Math.floor(random() * rows));
  return [...picked];
}

test("a second operation costs at most 1.15 of the cheaper way on average, and 1.5 anywhere", async () => {
  const random = createRandom(42);
  const ratios: number[] = [];
  let worst = "";
  for (const rows of DIRECTORIES) {
    authentik = await startFakeAuthentik({
      pks: Array.from({ length: rows }, (_, index) => index + 1),
      visible: (authorization, pk) => !authorization.includes("person") || pk <= OWN_ROWS,
    });
    gateway = await startGateway({ authentikUrl: authentik.url });
    for (const keys of KEYS) {
      for (const caller of ["administrator", "person"]) {
        const authorization = `Bearer ${caller}-with-${keys}`;
        const visibleRows = caller === "person" ? OWN_ROWS : rows;
        for (const operation of ["first", "second"]) {
          const pks = pick(random, { keys, rows });
          authentik.requests.length = 0;
          const fields = pks.map((pk) => `c${pk}: plexConnection(id: ${pk}) { pk }`);
          const { data, errors } = await gateway.post(`{ ${fields.join(" ")} }`, { authorization });
          expect(errors).toBeUndefined();
          for (const pk of pks) expect(data?.[`c${pk}`]).toEqual(pk <= visibleRows ? { pk } : null);
          const cost = costOf(authentik.requests, visibleRows);
          expect(cost).toBeLessThanOrEqual(pks.length + 1 + ROW_COST * 100 + 1e-9);
          if (operation === "first") continue;
          const ratio = cost / Math.min(pks.length, wholeListCost(visibleRows));
          if (ratio > Math.max(0, ...ratios)) worst = `${caller}, ${pks.length} keys, ${rows} rows`;
          ratios.push(ratio);
        }
      }
    }
    await gateway.close();
    await authentik.close();
  }
  const mean = ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length;
  const max = Math.max(...ratios);
  console.log(
    `cost against the cheaper way in hindsight: mean ${mean.toFixed(3)}, max ${max.toFixed(3)} (${worst})`,
  );
  expect(mean).toBeLessThanOrEqual(1.15);
  expect(max).toBeLessThanOrEqual(1.5);
}, 120_000);
