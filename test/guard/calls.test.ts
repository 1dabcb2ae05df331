import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startFakeAuthentik, type FakeAuthentik } from "../support/fake-authentik.ts";
import { startGateway, type TestGateway } from "../support/gateway.ts";
import { createPoster, firstIds, operation } from "./operations.ts";

const PERSON = "Bearer token-of-a-person";
const FIFTY = firstIds(50);
const fiveKeys = FIFTY.map((index) => (index % 5) + 1);

describe("what the benchmark's operations cost authentik", () => {
  let authentik: FakeAuthentik;
  let gateway: TestGateway;
  let poster: ReturnType<typeof createPoster>;

  const start = async (rows: number): Promise<void> => {
    authentik = await startFakeAuthentik({
      pks: firstIds(rows),
      visible: (authorization, pk) => authorization !== PERSON || pk <= 3,
    });
    gateway = await startGateway({ authentikUrl: authentik.url });
    poster = createPoster(gateway.url, { connections: 1 });
  };
  const stop = async (): Promise<void> => {
    await poster.close();
    await gateway.close();
    await authentik.close();
  };
  /** Retrieves and lists that the second of two equal operations of a caller causes. */
  const second = async (
    ids: readonly number[],
    authorization?: string,
  ): Promise<{ retrieves: number; lists: number }> => {
    await poster.postAll([operation(ids)], authorization);
    authentik.requests.length = 0;
    await poster.postAll([operation(ids)], authorization);
    const lists = authentik.paths().filter((path) => path.includes("?")).length;
    return { retrieves: authentik.requests.length - lists, lists };
  };

  describe("with a directory of 1,000 rows", () => {
    beforeAll(() => start(1_000));
    afterAll(stop);

    it("retrieves one id once", async () => {
      expect(await second([5])).toEqual({ retrieves: 1, lists: 0 });
    });

    it("retrieves each of five ids once for fifty aliases", async () => {
      expect(await second(fiveKeys)).toEqual({ retrieves: 5, lists: 0 });
    });
  });

  describe("with a directory of 100 rows", () => {
    beforeAll(() => start(100));
    afterAll(stop);

    it("lists once for an administrator's fifty ids", async () => {
      expect(await second(FIFTY)).toEqual({ retrieves: 0, lists: 1 });
    });

    it("lists once for fifty ids of a person who sees three rows", async () => {
      expect(await second(FIFTY, PERSON)).toEqual({ retrieves: 0, lists: 1 });
    });
  });
});
