import { mkdirSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test, vi } from "vitest";
import { createGate, type FakeAuthentik } from "../support/fake-authentik.ts";
import { household } from "../support/fake-household.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { ask, buildCli, preload, startBefore } from "./cli.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
beforeAll(buildCli);

interface Secrets {
  token: string;
  key: string;
}

/** A folder as Kubernetes mounts a secret: files are links into a folder that is a link, which alone is exchanged. */
function mountSecret(first: Secrets) {
  const mount = temporaryFolder();
  let version = 0;
  const write = ({ token, key }: Secrets): void => {
    const folder = `..version-${(version += 1)}`;
    mkdirSync(join(mount, folder));
    writeFileSync(join(mount, folder, "token"), `${token}\n`);
    writeFileSync(join(mount, folder, "key"), `${key}\n`);
    symlinkSync(folder, join(mount, "..new"));
    renameSync(join(mount, "..new"), join(mount, "..data"));
  };
  write(first);
  for (const name of ["token", "key"]) symlinkSync(join("..data", name), join(mount, name));
  return { token: join(mount, "token"), key: join(mount, "key"), write };
}

/** Two seconds of looking at files shall not take two seconds. */
const FREQUENT_LOOKS = `
  import fs from "node:fs"; import { syncBuiltinESMExports } from "node:module";
  const { watchFile } = fs;
  fs.watchFile = (path, options, run) => watchFile(path, { ...options, interval: options.interval / 20 }, run);
  syncBuiltinESMExports();`;

const QUERY = "{ plexConnection(id: 5) { user } }";
const OLD = { token: "token-of-alice", key: "first-key-of-the-gateway" };
const NEW = { token: "token-of-administrator", key: "second-key-of-the-gateway" };
const ANSWER = { data: { plexConnection: { user: 42 } } };

async function start() {
  const secret = mountSecret(OLD);
  const { authentik, cli, url } = await startBefore(
    { sandbox: { release: "2025.4", directory: household() } },
    ["--authentik-token-file", secret.token, "--gateway-key-file", secret.key],
    preload(FREQUENT_LOOKS),
  );
  await cli.printed(/authentik answers/);
  const askWith = async (key: string) => (await ask(url, QUERY, { authorization: `Bearer ${key}` })).body;
  return { authentik, secret, cli, askWith };
}

function lastToken({ requests }: FakeAuthentik): string | undefined {
  return requests.at(-1)?.headers.find(([name]) => name === "Authorization")?.[1];
}

test("secrets that are exchanged are in use a moment later, and nothing in flight breaks", async () => {
  const { authentik, secret, cli, askWith } = await start();
  expect(await askWith(OLD.key)).toEqual(ANSWER);
  expect(lastToken(authentik)).toBe(`Bearer ${OLD.token}`);

  const gate = createGate();
  authentik.answer(gate.answer);
  const arrived = authentik.arrived(authentik.requests.length + 1);
  const inFlight = askWith(OLD.key);
  await arrived;
  secret.write(NEW);
  await cli.printed(/AUTHENTIK_TOKEN_FILE has changed: the new one is in use/);
  await cli.printed(/GATEWAY_KEY_FILE has changed: the new one is in use/);
  authentik.answer(null);
  gate.open();
  expect(await inFlight).toEqual(ANSWER);

  expect(await askWith(OLD.key)).toMatchObject({ errors: [{ extensions: { code: "UNAUTHENTICATED" } }] });
  expect(await askWith(NEW.key)).toEqual(ANSWER);
  expect(lastToken(authentik)).toBe(`Bearer ${NEW.token}`);
  expect(cli.output()).not.toMatch(/token-of-|key-of-the-gateway/);
});

test("a file that is empty, too short or gone keeps the secret from before and says so", async () => {
  const { authentik, secret, cli, askWith } = await start();
  const kept = "; the one from before stays in use";
  truncateSync(secret.token);
  writeFileSync(secret.key, "short");
  await cli.printed(
    new RegExp(`"level":"error".*AUTHENTIK_TOKEN_FILE: given a file, expected one with .*${kept}`),
  );
  await cli.printed(new RegExp(`GATEWAY_KEY_FILE: given a file, expected one with at least 16 .*${kept}`));
  rmSync(secret.token);
  await cli.printed(new RegExp(`AUTHENTIK_TOKEN_FILE: the file cannot be read \\(ENOENT\\)${kept}`));
  expect(await askWith(OLD.key)).toEqual(ANSWER);
  expect(lastToken(authentik)).toBe(`Bearer ${OLD.token}`);

  writeFileSync(secret.token, NEW.token);
  await cli.printed(/AUTHENTIK_TOKEN_FILE has changed/);
  expect(await askWith(OLD.key)).toEqual(ANSWER);
  expect(lastToken(authentik)).toBe(`Bearer ${NEW.token}`);
  expect(cli.output()).not.toMatch(/token-of-|short"|key-of-the-gateway/);
});

test("a new token that authentik refuses is found at once, without a caller", async () => {
  const { secret, cli } = await start();
  secret.write({ ...NEW, token: "dead-token" });
  const [line] = await cli.printed(/^.*refuses AUTHENTIK_TOKEN.*$/m);
  expect(JSON.parse(line)).toMatchObject({ level: "error" });
  expect(cli.output()).not.toContain("dead-token");
});
