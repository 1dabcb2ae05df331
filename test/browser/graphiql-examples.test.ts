import { expect, onTestFinished, test } from "vitest";
import { SANDBOX_RELEASES } from "../../src/sandbox/releases.ts";
import { createSandbox } from "../../src/sandbox/sandbox.ts";
import { EXAMPLES } from "../../src/server/graphiql/examples.ts";
import { startGateway } from "../support/gateway.ts";

test.each(SANDBOX_RELEASES)(
  "every example of GraphiQL is answered by authentik %s; errors are of the key alone that is none",
  async (release) => {
    const sandbox = await createSandbox({ release });
    onTestFinished(() => sandbox.close());
    const gateway = await startGateway({ authentikUrl: sandbox.url });
    onTestFinished(() => gateway.close());
    for (const { query, variables = "{}" } of EXAMPLES) {
      const { data, errors = [] } = await gateway.post(query, { variables: JSON.parse(variables) });
      expect(data).toBeTypeOf("object");
      expect(errors.map(({ path }) => path)).toEqual(query.includes("_entities") ? [["_entities", 1]] : []);
    }
  },
);
