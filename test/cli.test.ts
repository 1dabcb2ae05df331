import type { NetworkInterfaceInfo } from "node:os";
import { expect, test } from "vitest";
import { addressesFor, invocationOf } from "../src/cli.ts";

test.each([
  ["npm start", { npm_lifecycle_event: "start" }, "/app/dist/main.js"],
  ["node /app/dist/main.js", { npm_lifecycle_event: "test" }, "/app/dist/main.js"],
  ["authentik-graphql", {}, "/usr/local/bin/authentik-graphql"],
])("what was typed: %s", (typed, env, script) => {
  expect(invocationOf(env, script)).toBe(typed);
});

test("the addresses for other machines are IPv4 where there are any, for a gateway that listens on all", () => {
  const interfaces = {
    lo: [of("127.0.0.1", true), of("::1", true)],
    eth0: [of("fe80::1"), of("2001:db8::7"), of("192.168.1.7")],
    docker0: [of("172.17.0.1")],
    gone: undefined,
  };
  expect(addressesFor("0.0.0.0", () => interfaces)).toEqual(["192.168.1.7", "172.17.0.1"]);
  expect(addressesFor("::", () => interfaces)).toEqual(["192.168.1.7", "172.17.0.1", "2001:db8::7"]);
  expect(addressesFor("192.168.1.7", () => interfaces)).toEqual([]);
  // The system need not tell them.
  expect(addressesFor("0.0.0.0", () => expect.fail("EAFNOSUPPORT"))).toEqual([]);
});

function of(address: string, internal = false): NetworkInterfaceInfo {
  const rest = { address, internal, netmask: "", mac: "", cidr: null };
  return address.includes(":") ? { ...rest, family: "IPv6", scopeid: 0 } : { ...rest, family: "IPv4" };
}
