import type { NetworkInterfaceInfo } from "node:os";
import { describe, expect, test } from "vitest";
import { addressesFor, invocationOf } from "../src/cli.ts";

test.each([
  ["npm start", { npm_lifecycle_event: "start" }, "/app/dist/main.js"],
  ["node /app/dist/main.js", {}, "/app/dist/main.js"],
  ["node /app/dist/main.js", { npm_lifecycle_event: "test" }, "/app/dist/main.js"],
  ["authentik-graphql", {}, "/usr/local/bin/authentik-graphql"],
])("what was typed: %s", (typed, env, script) => {
  expect(invocationOf(env, script)).toBe(typed);
});

describe("the addresses for other machines", () => {
  const interfaces = {
    lo: [of("127.0.0.1", true), of("::1", true)],
    eth0: [of("fe80::1"), of("2001:db8::7"), of("192.168.1.7")],
    wlan0: [of("192.168.1.8")],
    docker0: [of("172.17.0.1")],
    tun0: [of("10.8.0.2")],
  };

  test.each([
    ["0.0.0.0", ["192.168.1.7", "192.168.1.8", "172.17.0.1"]],
    ["::", ["192.168.1.7", "192.168.1.8", "172.17.0.1"]],
    ["127.0.0.1", []],
    ["192.168.1.7", []],
  ])("of a gateway that listens on %s", (host, addresses) => {
    expect(addressesFor(host, interfaces)).toEqual(addresses);
  });

  test("are IPv6 where there is nothing else, and it listens there", () => {
    const { lo, eth0 } = interfaces;
    const only = { lo, eth0: eth0.slice(0, 2), gone: undefined };
    expect(addressesFor("::", only)).toEqual(["2001:db8::7"]);
    expect(addressesFor("0.0.0.0", only)).toEqual([]);
  });
});

function of(address: string, internal = false): NetworkInterfaceInfo {
  const rest = { address, internal, netmask: "", mac: "", cidr: null };
  return address.includes(":") ? { ...rest, family: "IPv6", scopeid: 0 } : { ...rest, family: "IPv4" };
}
