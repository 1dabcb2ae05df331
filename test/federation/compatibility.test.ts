import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { startNode } from "../process/cli.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { composeSupergraph } from "./support/composition.ts";
import { freePort, packageFolder, ROUTERS, startRouter, startScript } from "./support/processes.ts";
import { createProductsSchema } from "./support/products.ts";
import { startSubgraph } from "./support/subgraph.ts";

const suite = join(packageFolder, "node_modules/@apollo/federation-subgraph-compatibility-tests");

interface JestReport {
  numTotalTests: number;
  numPassedTests: number;
  numTotalTestSuites: number;
  testResults: { name: string; message: string; status: string }[];
}

describe("Apollo's federation-subgraph-compatibility tests", () => {
  let subgraphs: Awaited<ReturnType<typeof startPeer>>[];
  let supergraphSdl: string;

  beforeAll(async () => {
    const products = startSubgraph("products", createProductsSchema(join(suite, "products.graphql")));
    subgraphs = await Promise.all([products, startPeer("users"), startPeer("inventory")]);
    supergraphSdl = await composeSupergraph(subgraphs);
    return () => Promise.all(subgraphs.map(({ stop }) => stop()));
  });

  it.each(ROUTERS)("pass behind %s, 23 of 23", async (name) => {
    const router = await startRouter(name, supergraphSdl);
    onTestFinished(router.stop);
    const report = await runSuite({ PRODUCTS_URL: subgraphs[0]?.url ?? "", ROUTER_URL: router.url });
    expect(report.testResults.filter((result) => result.status !== "passed")).toEqual([]);
    expect(report).toMatchObject({ numTotalTestSuites: 12, numTotalTests: 23, numPassedTests: 23 });
  });
});

async function startPeer(name: string) {
  const port = String(await freePort());
  const folder = join(suite, "dist/subgraphs", name);
  const env = { USERS_PORT: port, INVENTORY_PORT: port };
  const { url, stop } = await startScript([join(folder, "index.js")], { env });
  return { name, url, stop, sdl: await readFile(join(folder, `${name}.graphql`), "utf8") };
}

async function runSuite(urls: Record<string, string>): Promise<JestReport> {
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
  const env = { HOME: process.env["HOME"] ?? "", ...urls };
  await startNode([join(packageFolder, "node_modules/jest/bin/jest.js"), ...args], { env }).exited;
  return JSON.parse(await readFile(outputFile, "utf8")) as JestReport; // written by jest itself
}
