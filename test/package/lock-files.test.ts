import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

interface LockFile {
  packages: Record<string, { version: string; resolved?: string; engines?: { node?: string } }>;
}

/** Whether Node 20.19 is in a range: whether one of its alternatives begins there or below. */
function takesOldestNode(range: string): boolean {
  return range.split("||").some((alternative) => {
    const [, sign = "", major = "0", minor = "0"] =
      /^\s*([\^~>=<]*)\s*v?(\d+)?(?:\.(\d+))?/.exec(alternative) ?? [];
    const from = Number(major) * 100 + Number(minor);
    return from <= 2019 && (sign.startsWith(">") || from === 0 || from >= 2000);
  });
}

test.each(["", "test/clients/", "test/federation/"])(
  "%spackage-lock.json installs without a warning on the oldest Node, from any registry",
  (folder) => {
    const text = readFileSync(new URL(`../../${folder}package-lock.json`, import.meta.url), "utf8");
    const { packages }: LockFile = JSON.parse(text);
    const tooNew = Object.entries(packages).filter(
      ([, { engines }]) => !takesOldestNode(engines?.node ?? "*"),
    );
    expect(tooNew.map(([name, { version }]) => `${name} ${version}`)).toEqual([]);
    expect(Object.values(packages).filter(({ resolved }) => resolved?.startsWith("http"))).toEqual([]);
  },
);
