import { describe, expect, onTestFinished, test } from "vitest";
import { createSandbox } from "../../src/sandbox/sandbox.ts";
import { SANDBOX_RELEASES } from "../../src/sandbox/releases.ts";
import { EXAMPLES } from "../../src/server/graphiql/examples.ts";
import { startGateway } from "../support/gateway.ts";

describe.each(SANDBOX_RELEASES)("against authentik %s", (release) => {
  test("every example of GraphiQL is answered; errors are of the key alone that is none", async () => {
    const sandbox = await createSandbox({ release });
    const gateway = await startGateway({ authentikUrl: sandbox.url });
    onTestFinished(async () => {
      await gateway.close();
      await sandbox.close();
    });
    for (const { query, variables = "{}" } of EXAMPLES) {
      const { data, errors = [] } = await gateway.post(query, {
        variables: JSON.parse(variables) as Record<string, unknown>,
      });
      expect(data).toBeTypeOf("object");
      expect(errors.map(({ path }) => path)).toEqual(query.includes("_entities") ? [["_entities", 1]] : []);
    }
  });
});
