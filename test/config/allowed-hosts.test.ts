import { expect, test } from "vitest";
import { loadConfig } from "../../src/config/load.ts";

const LOCAL = ["localhost", "127.0.0.1", "[::1]"];

test.each([
  ["127.0.0.1", LOCAL],
  ["127.1", [...LOCAL, "127.1"]],
  ["0x7f.1", [...LOCAL, "0x7f.1"]],
  ["0:0:0:0:0:0:0:1", [...LOCAL, "[0:0:0:0:0:0:0:1]"]],
  ["::ffff:127.0.0.1", [...LOCAL, "[::ffff:7f00:1]", "[::ffff:127.0.0.1]"]],
  ["LOCALHOST", [...LOCAL, "LOCALHOST"]],
  ["::", []],
  ["192.168.1.5", []],
])("with open access on %s, hosts that requests may name: %j", (HOST, allowedHosts) => {
  const env = { HOST, OPEN_ACCESS: "true", AUTHENTIK_TOKEN: "token" };
  expect(loadConfig({ env, argv: [], readFile: () => "" })).toMatchObject({
    config: { gateway: { allowedHosts } },
  });
});
