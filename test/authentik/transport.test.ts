import { readFileSync } from "node:fs";
import { createServer, type AddressInfo, type Server } from "node:net";
import { afterEach, expect, test } from "vitest";
import { createCancellation } from "../../src/authentik/cancellation.ts";
import type { Authentik } from "../../src/authentik/client.ts";
import { AuthentikError } from "../../src/authentik/errors.ts";
import { createGate, sendJson, startFakeAuthentik, type FakeAuthentik } from "../support/fake-authentik.ts";
import { connectionBody } from "../support/wire-bodies.ts";
import { connect, operation, retrieve } from "./client.ts";

let closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  const ending = closing;
  closing = [];
  for (const close of ending) await close();
});

function connected(url: URL, options: Parameters<typeof connect>[1] = {}): Authentik {
  const authentik = connect(url, options);
  closing.unshift(() => authentik.close());
  return authentik;
}

async function started(options: Parameters<typeof startFakeAuthentik>[0] = {}): Promise<FakeAuthentik> {
  const fake = await startFakeAuthentik(options);
  closing.push(() => fake.close());
  return fake;
}

/** Accepts connections and never says anything. */
async function startSilence(): Promise<{ port: number; connections: () => number }> {
  let connections = 0;
  const server: Server = createServer((socket) => {
    connections += 1;
    socket.resume();
    socket.on("error", () => {});
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  closing.push(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve());
      }),
  );
  return { port: (server.address() as AddressInfo).port, connections: () => connections };
}

const certificate = (name: string): string =>
  readFileSync(new URL(`certificates/localhost.${name}.pem`, import.meta.url), "utf8");

test("a server with a private certificate is reached with its authority, and only then", async () => {
  const fake = await started({ tls: { key: certificate("key"), cert: certificate("cert") } });
  const trusting = connected(fake.url, { caPem: certificate("cert") });
  expect(await operation(trusting).get(retrieve(5))).toEqual(connectionBody(5));
  const strict = connected(fake.url);
  await expect(operation(strict).get(retrieve(5))).rejects.toMatchObject({
    kind: "unreachable",
    detail: "DEPTH_ZERO_SELF_SIGNED_CERT: the certificate is not trusted: give its authority as a CA file",
  });
  expect(fake.requests.length).toBe(1);
});

test("no path can leave the origin or the API", async () => {
  const fake = await started({ prefix: "/auth" });
  const authentik = connected(new URL(`${fake.url.href}/`));
  for (const path of ["//evil.example/x/", "/\\evil.example/", "/@evil.example/", "/http://evil.example/"]) {
    await expect(operation(authentik).get({ route: "x", path })).rejects.toBeInstanceOf(AuthentikError);
  }
  expect(fake.paths().every((path) => path.startsWith("/auth/api/v3/"))).toBe(true);
  expect(fake.requests.length).toBe(4);
});

test("what cannot be written as HTTP is refused before anything is sent", async () => {
  const fake = await started();
  const authentik = connected(fake.url);
  for (const token of ["a\r\nX-Evil: 1", "a\0b", "a\u0100"]) {
    const error = await operation(authentik, { token })
      .get(retrieve(5))
      .catch((caught: unknown) => caught);
    expect(error).toMatchObject({ kind: "rejected" });
    expect(JSON.stringify(error) + String(error)).not.toContain("Evil");
  }
  expect([fake.requests.length, authentik.state().inFlight]).toEqual([0, 0]);
});

test("nothing listening is known at once, and not asked twice", async () => {
  const fake = await startFakeAuthentik();
  await fake.close();
  const authentik = connected(fake.url);
  const client = operation(authentik);
  await expect(client.get(retrieve(5))).rejects.toMatchObject({
    kind: "unreachable",
    detail: expect.stringContaining("ECONNREFUSED") as string,
  });
  expect(client.usage).toMatchObject({ restCalls: 1, retries: 0 });
});

test("an unknown host name is told from a silent one", async () => {
  const authentik = connected(new URL("http://no-such-host.invalid"));
  await expect(operation(authentik).get(retrieve(5))).rejects.toMatchObject({
    kind: "unreachable",
    detail: expect.stringMatching(/^(ENOTFOUND|EAI_AGAIN): .*DNS/) as string,
  });
});

test("who leaves while a connection is being made is told at once; the attempt ends by its own time", async () => {
  const silence = await startSilence();
  const authentik = connected(new URL(`https://127.0.0.1:${silence.port}`), { connectTimeoutMs: 300 });
  const { signal, abort } = createCancellation();
  const answer = operation(authentik, { signal }).get(retrieve(5));
  while (silence.connections() === 0) await new Promise(setImmediate);
  const reason = new AuthentikError("cancelled", "the client left");
  abort(reason);
  await expect(answer).rejects.toBe(reason);
  await expect(operation(authentik).get(retrieve(6))).rejects.toMatchObject({
    kind: "unreachable",
    detail: expect.stringContaining("UND_ERR_CONNECT_TIMEOUT") as string,
  });
  while (authentik.state().inFlight > 0) await new Promise(setImmediate);
});

test("a hundred calls on two connections to a silent server all end when their time does", async () => {
  const silence = await startSilence();
  const authentik = connected(new URL(`http://127.0.0.1:${silence.port}`), {
    concurrency: 2,
    queueMax: 1_000,
  });
  const { signal, abort } = createCancellation();
  const client = operation(authentik, { signal });
  const calls = Array.from({ length: 100 }, (_, index) => client.get(retrieve(index + 1)));
  while (silence.connections() < 2) await new Promise(setImmediate);
  expect(authentik.state()).toMatchObject({ inFlight: 2, queued: 98 });
  const reason = new AuthentikError("timeout", "the operation's time budget ended");
  const endedAt = performance.now();
  abort(reason);
  const outcomes = await Promise.allSettled(calls);
  expect(performance.now() - endedAt).toBeLessThan(250);
  expect(outcomes.every((outcome) => outcome.status === "rejected" && outcome.reason === reason)).toBe(true);
  while (authentik.state().inFlight > 0) await new Promise(setImmediate);
  expect(authentik.state().queued).toBe(0);
  expect(silence.connections()).toBe(2);
});

test("an answer larger than the limit is cut off while it is read", async () => {
  const gate = createGate();
  const fake = await started({
    answer: (_request, response) => {
      response.writeHead(200, { "Content-Type": "application/json" });
      response.write(" ".repeat(100_000));
      void gate.opened.then(() => response.end());
    },
  });
  const authentik = connected(fake.url, { maxResponseBytes: 50_000 });
  await expect(operation(authentik).get(retrieve(5))).rejects.toMatchObject({
    kind: "malformed-response",
    detail: expect.stringContaining("larger than the limit") as string,
  });
  gate.open();
  expect(fake.requests.length).toBe(1);
});

test("an answer in many pieces, split within characters, is put together", async () => {
  const body = Buffer.from(JSON.stringify({ pk: 5, name: "Cinéma du coin 🎬" }));
  const fake = await started({
    answer: async (_request, response) => {
      response.writeHead(200, { "Content-Type": "application/json" });
      for (const byte of body) {
        await new Promise<void>((resolve) => {
          response.write(Buffer.from([byte]), () => resolve());
        });
      }
      response.end();
    },
  });
  expect(await operation(connected(fake.url)).get(retrieve(5))).toEqual({ pk: 5, name: "Cinéma du coin 🎬" });
});

test("interim answers do not count", async () => {
  const fake = await started({
    answer: (_request, response, fallback) => {
      response.writeEarlyHints({ link: "</style.css>; rel=preload" });
      fallback();
    },
  });
  expect(await operation(connected(fake.url)).get(retrieve(5))).toEqual(connectionBody(5));
});

test("ten thousand calls on one signal leave no listener behind", async () => {
  const fake = await started({ answer: (_request, response) => sendJson(response, 200, { pk: 1 }) });
  const authentik = connected(fake.url, { concurrency: 64, queueMax: 100_000 });
  const { signal } = createCancellation();
  let listeners = 0;
  let most = 0;
  const counted = {
    get aborted() {
      return signal.aborted;
    },
    get reason() {
      return signal.reason;
    },
    addEventListener: () => {
      listeners += 1;
      most = Math.max(most, listeners);
    },
    removeEventListener: () => {
      listeners -= 1;
    },
  };
  const client = operation(authentik, { signal: counted });
  for (let round = 0; round < 20; round += 1) {
    await Promise.all(Array.from({ length: 500 }, (_, index) => client.get(retrieve(index % 50))));
  }
  expect([listeners, most]).toEqual([0, 1]);
  expect(client.usage).toMatchObject({ restCalls: 1_000, sharedCalls: 9_000 });
  expect(authentik.state()).toMatchObject({ inFlight: 0, queued: 0 });
});

test("closing cancels what is in flight and ends every connection", async () => {
  const fake = await started({ answer: () => {} });
  const authentik = connect(fake.url);
  const answer = operation(authentik).get(retrieve(5));
  await fake.arrived(1);
  const [outcome] = await Promise.allSettled([answer, authentik.close()]);
  expect(outcome).toMatchObject({ status: "rejected", reason: { kind: "cancelled" } });
  await fake.abandoned(1);
  await expect(operation(authentik).get(retrieve(6))).rejects.toMatchObject({ kind: "cancelled" });
});
