import { mkdtempSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test, vi } from "vitest";
import { ask } from "../support/ask.ts";
import { createGate } from "../support/fake-authentik.ts";
import { createTestDirectory } from "../support/test-directory.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { buildCli, preload, startBefore } from "./cli.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
beforeAll(buildCli);

/** A folder as Kubernetes mounts a secret: files are links into a folder that is a link, which alone is exchanged. */
function mountSecret(first: typeof OLD) {
  const mount = temporaryFolder();
  const write = (secrets: typeof OLD): void => {
    const folder = mkdtempSync(join(mount, "..version-"));
    for (const [name, secret] of Object.entries(secrets)) writeFileSync(join(folder, name), `${secret}\n`);
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
const DATA = { plexConnection: { user: 42 } };

async function start() {
  const secret = mountSecret(OLD);
  const fake = { sandbox: { release: "2025.4", directory: createTestDirectory() } } as const;
  const files = ["--authentik-token-file", secret.token, "--gateway-key-file", secret.key];
  const { authentik, cli, url } = await startBefore(fake, files, preload(FREQUENT_LOOKS));
  await cli.printed(/authentik answers/);
  const askWith = (key: string) => ask(url, QUERY, { authorization: `Bearer ${key}` });
  /** Asks with the gateway's key; authentik must see this token. */
  const expectAnswer = async (key: string, token: string) => {
    expect((await askWith(key)).data).toEqual(DATA);
    expect(authentik.requests.at(-1)?.authorization).toBe(`Bearer ${token}`);
  };
  return { authentik, secret, cli, askWith, expectAnswer };
}

test("secrets that are exchanged are in use a moment later, and nothing in flight breaks", async () => {
  const { authentik, secret, cli, askWith, expectAnswer } = await start();
  await expectAnswer(OLD.key, OLD.token);

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
  expect((await inFlight).data).toEqual(DATA);

  expect((await askWith(OLD.key)).codes).toEqual(["UNAUTHENTICATED"]);
  await expectAnswer(NEW.key, NEW.token);
  expect(cli.output()).not.toMatch(/token-of-|key-of-the-gateway/);
});

test("a file that is empty, too short or gone keeps the secret from before and says so; a token that authentik refuses is found at once", async () => {
  const { secret, cli, expectAnswer } = await start();
  const saidKept = ({ source }: RegExp) =>
    cli.printed(new RegExp(`${source}; the one from before stays in use`));
  truncateSync(secret.token);
  writeFileSync(secret.key, "short");
  await saidKept(/"level":"error".*AUTHENTIK_TOKEN_FILE: given a file, expected one with .*/);
  await saidKept(/"level":"error".*GATEWAY_KEY_FILE: given a file, expected one with at least 16 .*/);
  rmSync(secret.token);
  await saidKept(/"level":"error".*AUTHENTIK_TOKEN_FILE: the file cannot be read \(ENOENT\)/);
  await expectAnswer(OLD.key, OLD.token);

  writeFileSync(secret.token, NEW.token);
  await cli.printed(/AUTHENTIK_TOKEN_FILE has changed/);
  await expectAnswer(OLD.key, NEW.token);
  writeFileSync(secret.token, "dead-token");
  const [line] = await cli.printed(/^.*refuses AUTHENTIK_TOKEN.*$/m);
  expect(JSON.parse(line)).toMatchObject({ level: "error" });
  expect(cli.output()).not.toMatch(/token-of-|dead-token|short"|key-of-the-gateway/);
});
