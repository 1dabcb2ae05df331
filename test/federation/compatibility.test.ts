import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { createProductsSchema } from "./products/schema.ts";
import { composeSupergraph } from "./support/composition.ts";
import { freePort, packageFolder, runScript, startScript, type ServerProcess } from "./support/processes.ts";
import { startRouter, type RouterName } from "./support/routers.ts";
import { startSubgraph, type RunningSubgraph } from "./support/subgraph.ts";

const suite = join(packageFolder, "node_modules/@apollo/federation-subgraph-compatibility-tests");

interface JestReport {
  numTotalTests: number;
  numPassedTests: number;
  numTotalTestSuites: number;
  testResults: { name: string; message: string; status: string }[];
}

describe("Apollo's federation-subgraph-compatibility tests", () => {
  let products: RunningSubgraph;
  let peers: ServerProcess[];
  let supergraphSdl: string;

  beforeAll(async () => {
    products = await startSubgraph(createProductsSchema());
    peers = await Promise.all([startPeer("users"), startPeer("inventory")]);
    supergraphSdl = await composeSupergraph([
      { name: "products", url: products.url, sdl: await products.sdl() },
      { name: "users", url: peers[0]?.url ?? "", sdl: await peerSdl("users") },
      { name: "inventory", url: peers[1]?.url ?? "", sdl: await peerSdl("inventory") },
    ]);
  });

  afterAll(async () => {
    await Promise.all([...(peers ?? []), products].map((running) => running.stop()));
  });

  it.each<RouterName>(["@apollo/gateway", "Hive Gateway", "Hive Gateway with its native planner"])(
    "pass behind %s, 23 of 23",
    async (name) => {
      const router = await startRouter(name, supergraphSdl);
      try {
        const report = await runSuite({ PRODUCTS_URL: products.url, ROUTER_URL: router.url });
        expect(report.testResults.filter((result) => result.status !== "passed")).toEqual([]);
        expect(report).toMatchObject({ numTotalTestSuites: 12, numTotalTests: 23, numPassedTests: 23 });
      } finally {
        await router.stop();
      }
    },
  );
});

async function startPeer(name: "users" | "inventory"): Promise<ServerProcess> {
  const port = String(await freePort());
  const script = join(suite, "dist/subgraphs", name, "index.js");
  return startScript(script, [], { USERS_PORT: port, INVENTORY_PORT: port });
}

function peerSdl(name: string): Promise<string> {
  return readFile(join(suite, "dist/subgraphs", name, `${name}.graphql`), "utf8");
}

async function runSuite(environment: Record<string, string>): Promise<JestReport> {
  const outputFile = join(temporaryFolder(), "report.json");
  const config = {
    rootDir: suite,
    testEnvironment: "node",
    testPathIgnorePatterns: [],
    haste: { retainAllFiles: true },
    testTimeout: 30_000,
    testMatch: ["**/dist/tests/*.test.js"],
    moduleNameMapper: { "^make-fetch-happen$": join(packageFolder, "compatibility-fetch.cjs") },
  };
  const args = ["--config", JSON.stringify(config), "--json", "--outputFile", outputFile];
  const ended = await runScript(join(packageFolder, "node_modules/jest/bin/jest.js"), args, { environment });
  const report = await readFile(outputFile, "utf8").catch(() => {
    throw new Error(`jest wrote no report: ${ended.stderr}`);
  });
  return JSON.parse(report) as JestReport; // written by jest itself
}
