import { setTimeout as sleep } from "node:timers/promises";
import { getIntrospectionQuery } from "graphql";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { buildCli } from "../process/cli.ts";
import { startFakeAuthentik } from "../support/fake-authentik.ts";
import { FAULTS, inChunksOfOneByte, startFaultServer } from "../support/fault-server.ts";
import { times } from "./adversarial-documents.ts";
import { attacks } from "./attacks.ts";
import { sendLargeDocuments } from "./document-memory.ts";
import { ask } from "../support/ask.ts";
import type { ServerProcess } from "./support/child.ts";
import { type Attack, type Price, priceOf, startMeasuredGateway } from "./support/price.ts";
import { residentBytes, START_FLAGS, startGatewayProcess } from "./support/gateway-process.ts";
import { persisted } from "../support/persisted.ts";
import { postText, raw } from "../support/raw-client.ts";

// What is bounded is memory and CPU: how long a busy machine takes for it does not matter.
vi.setConfig({ testTimeout: 120_000 });

/*
 * A price for every byte: whoever connects makes the process hold at most 1 MiB for each 10 KiB that it has sent (8 MiB
 * at least), keeps a core for at most 10 ms for each KiB, and nobody waits long because of it.
 */

const KIBIBYTE = 1024;
const MEBIBYTE = 1024 * 1024;
const FREE_BYTES = 8 * MEBIBYTE;
const CPU_MS_PER_KIBIBYTE = 10;
/** Twice what docs/security.md promises of `/healthz`: the same work takes more CPU beside other work. */
const MAX_TURN_MS = 200;
/** What compiling and collecting may take of a core at any time. */
const FREE_CPU_MS = 150;
/** What garbage happens to be collected while it is attacked differs: each attack has the best of so many tries. */
const TRIES = 5;

type Run = (attack: Attack) => Promise<void>;

const report: string[] = [];
afterAll(() => console.log(report.join("\n")));

/** Attacks until one time has shown that it costs no more than it may; says what is too dear. */
async function tooDear(name: string, gateway: ServerProcess, run: Run): Promise<string[]> {
  let best = await priceOf(gateway, run);
  for (let tries = 1; tries < TRIES && problemsOf(best).length > 0; tries++) {
    const price = await priceOf(gateway, run);
    best = {
      sentBytes: price.sentBytes,
      heldBytes: Math.min(price.heldBytes, best.heldBytes),
      cpuMs: Math.min(price.cpuMs, best.cpuMs),
      longestTurnMs: Math.min(price.longestTurnMs, best.longestTurnMs),
    };
  }
  const { sentBytes, heldBytes, cpuMs, longestTurnMs } = best;
  report.push(
    `${name}: ${(sentBytes / KIBIBYTE).toFixed(1)} KiB sent; ${(heldBytes / MEBIBYTE).toFixed(1)} of ` +
      `${(allowedBytes(best) / MEBIBYTE).toFixed(0)} MiB held; ${cpuMs.toFixed(0)} of ${allowedCpuMs(best).toFixed(0)} ms ` +
      `of CPU; longest turn ${longestTurnMs.toFixed(0)} ms`,
  );
  return problemsOf(best);
}

const allowedBytes = ({ sentBytes }: Price): number =>
  Math.max(FREE_BYTES, (sentBytes / (10 * KIBIBYTE)) * MEBIBYTE);
const allowedCpuMs = ({ sentBytes }: Price): number =>
  FREE_CPU_MS + (sentBytes / KIBIBYTE) * CPU_MS_PER_KIBIBYTE;
function problemsOf(price: Price): string[] {
  return [
    ...(price.heldBytes < allowedBytes(price) ? [] : [`holds ${price.heldBytes} bytes`]),
    ...(price.cpuMs < allowedCpuMs(price) ? [] : [`took ${price.cpuMs} ms of CPU`]),
    ...(price.longestTurnMs < MAX_TURN_MS ? [] : [`delayed others by ${price.longestTurnMs} ms`]),
  ];
}

const post = (query: string, variables?: unknown): string =>
  postText(JSON.stringify({ query, variables })).replace("Connection: close\r\n", "");
const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;

/** As a request by its hash, and what registers it. */
function byHash(query: string): { request: string; registration: string } {
  const { extensions } = persisted(query);
  return {
    request: get(`/graphql?extensions=${encodeURIComponent(JSON.stringify(extensions))}`),
    registration: postText(JSON.stringify({ query, extensions })),
  };
}

const TYPES = "{__schema{types{name description fields{name description}}}}";
const ENTITIES = "query($r:[_Any!]!){_entities(representations:$r){__typename}}";
const tenTimes = (name: string): string =>
  `query ${name}{${times(10, (i) => `a${i}:__schema{types{name description fields{name description args{name}}}} `)}}`;

const READ = { read: true };

/** Made before anything is measured. */
const BODY_IN_CHUNKS =
  "POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n" +
  Array.from(
    JSON.stringify({ query: "{__typename}", variables: { x: "x".repeat(MEBIBYTE - 100) } }),
    (letter) => `1\r\n${letter}\r\n`,
  ).join("") +
  "0\r\n\r\n";

const ATTACKS: Record<string, Run> = {
  "GraphiQL's script 900 times in one connection that nobody reads": async ({ url, connect }) => {
    const page = await (await fetch(new URL("/graphql", url), { headers: { accept: "text/html" } })).text();
    const script = /graphql\/graphiql\/graphiql-\w+\.js/.exec(page)?.[0];
    expect(script).toBeDefined();
    connect(get(`/${script}`).repeat(900));
  },
  "1.2 MiB of POSTs in one connection that nobody reads": async ({ connect }) => {
    connect(post(TYPES).repeat(5_600));
  },
  "1.2 MiB of POSTs in one connection that is read": async ({ connect }) => {
    connect(post(TYPES).repeat(5_600), READ);
  },
  "an introspection by its hash 373 times in one connection that nobody reads": async ({ connect }) => {
    const { request, registration } = byHash(getIntrospectionQuery());
    connect(registration, READ);
    await sleep(200);
    connect(request.repeat(373));
  },
  "an introspection by its hash 373 times in one connection that is read": async ({ connect }) => {
    const { request, registration } = byHash(getIntrospectionQuery());
    connect(registration, READ);
    await sleep(200);
    connect(request.repeat(373), READ);
  },
  "a small question every 60 ms in each of 30 connections that nobody reads": async ({ connect }) => {
    const sockets = Array.from({ length: 30 }, () => connect());
    for (let round = 0; round < 40; round++) {
      for (const socket of sockets) if (socket.writable) socket.write(post(TYPES));
      await sleep(60);
    }
  },
  "347,000 empty comments, four times": async ({ connect }) => {
    for (let round = 0; round < 4; round++) {
      connect(post(`{__typename}${"#\n".repeat(347_000)}#${round}`), READ);
      await sleep(300);
    }
  },
  "a thousand errors below a hundred thousand lines": async ({ connect }) => {
    connect(
      post(`{${"\n".repeat(100_000)}${times(1_000, (i) => `a${i}:plexConnection(id:1){pk user}`)}}`),
      READ,
    );
  },
  "1 MiB of nulls as representations": async ({ connect }) => {
    connect(post(ENTITIES, { r: Array(200_000).fill(null) }), READ);
  },
  "100 KiB of numbers as representations": async ({ connect }) => {
    connect(post(ENTITIES, { r: Array(50_000).fill(0) }), READ);
  },
  "a thousand lookups by their hash 100 times": async ({ connect }) => {
    const { request, registration } = byHash(
      `{${times(1_000, (i) => `a${i}:plexConnection(id:${i + 1}){pk user} `)}}`,
    );
    connect(registration, READ);
    await sleep(500);
    connect(request.repeat(100), READ);
  },
  "as many fields of users that all fail as there may be, eight times": async ({ connect }) => {
    const fields = times(80, (i) => `a${i}:plexConnections{pk} `);
    const query = `query($r:[_Any!]!){_entities(representations:$r){...on AuthentikUser{${fields}}}}`;
    const r = Array.from({ length: 55 }, (_, index) => ({ __typename: "AuthentikUser", pk: index + 1 }));
    connect(post(query, { r }).repeat(8), READ);
  },
  "a body of 1 MiB in chunks of one byte": async ({ connect }) => {
    connect(BODY_IN_CHUNKS, READ);
  },
  "another introspection of ten aliases in each of 100 requests": async ({ connect }) => {
    const socket = connect("", READ);
    for (let round = 0; round < 100; round++) {
      socket.write(post(tenTimes(`Q${round}`)));
      await sleep(10);
    }
  },
  "another whole introspection in each of 50 requests": async ({ connect }) => {
    const socket = connect("", READ);
    for (let round = 0; round < 50; round++) {
      socket.write(post(getIntrospectionQuery().replace("IntrospectionQuery", `Q${round}`)));
      await sleep(20);
    }
  },
  "5 KiB of introspection a second from each of two clients": async ({ connect }) => {
    const sockets = [connect("", READ), connect("", READ)];
    for (let round = 0; round < 10; round++) {
      for (const [index, socket] of sockets.entries()) socket.write(post(tenTimes(`Q${round}_${index}`)));
      await sleep(200);
    }
  },
  "bodies without end in 20 connections": async ({ connect }) => {
    const chunk = `10000\r\n${"x".repeat(65_536)}\r\n`;
    const head = BODY_IN_CHUNKS.slice(0, BODY_IN_CHUNKS.indexOf("\r\n\r\n") + 4);
    const sockets = Array.from({ length: 20 }, () => connect(head, READ));
    for (let round = 0; round < 40; round++) {
      for (const socket of sockets) if (socket.writable) socket.write(chunk);
      await sleep(20);
    }
  },
  ...Object.fromEntries(
    [
      "/readyz",
      "/healthz",
      "/metrics",
      "/nowhere",
      "/graphql?query={__typename}",
      "/graphql?query={",
      "/graphql",
    ].flatMap((path) =>
      [READ, {}].map((options): [string, Run] => [
        `${path} 1,000 times in one connection that ${"read" in options ? "is read" : "nobody reads"}`,
        async ({ connect }) => {
          connect(get(path).repeat(1_000), options);
        },
      ]),
    ),
  ),
  "an Accept header of thousands of ranges, in each of 100 requests": async ({ connect }) => {
    const accept = `Accept: ${"a/b;q=0.1,".repeat(1_500)}*/*`;
    connect(post("{__typename}").replace("Host", `${accept}\r\nHost`).repeat(100), READ);
  },
  "an operation name of 900,000 letters": async ({ connect }) => {
    connect(post(`query ${"x".repeat(900_000)}{__typename}`), READ);
  },
  "an alias of 200,000 letters before a thousand errors": async ({ connect }) => {
    connect(
      post(ENTITIES.replace("_entities", `${"x".repeat(200_000)}:_entities`), {
        r: Array.from({ length: 1_000 }, () => ({})),
      }),
    );
  },
  "the SDL under a hundred names of a hundred names": async ({ connect }) => {
    const names = times(100, (i) => `b${i}:sdl `);
    connect(post(`{${times(100, (i) => `a${i}:_service{...F}`)}} fragment F on _Service{${names}}`));
  },
};

describe("who sends", () => {
  const at = useMeasuredGateway(startFakeAuthentik);

  test.each(Object.entries(ATTACKS))(
    "%s pays for it",
    async (name, run) => {
      expect(await tooDear(name, at.gateway, run)).toEqual([]);
    },
    90_000,
  );

  test.each(attacks())(
    "%s pays for it",
    async (name, bytes) => {
      const problems = await tooDear(name, at.gateway, async ({ url, alsoSent }) => {
        for (let round = 0; round < 6; round++) {
          const { status } = await raw(url, bytes, { waitMs: 8_000 });
          // On a slow machine a refusal may be overtaken by the end of a connection whose body nobody reads.
          expect([200, 400, 404, 413, 415, 0]).toContain(status);
          alsoSent(bytes.length);
        }
      });
      expect(problems).toEqual([]);
      expect((await ask(at.gateway.url, "{plexConnection(id:5){user}}")).codes).toEqual([]);
    },
    90_000,
  );

  test("has the same small process in front of it after all of them", () => {
    expect(at.gateway.child.exitCode).toBeNull();
    expect(residentBytes(at.gateway)).toBeLessThan(300 * MEBIBYTE);
  });

  test("has made no line of the log longer than 4 KiB", () => {
    const longest = Math.max(
      ...at.gateway
        .output()
        .split("\n")
        .map(({ length }) => length),
    );
    expect(longest).toBeLessThan(4 * KIBIBYTE);
  });
});

test("200 distinct documents of 100 KB leave a process with a heap of 512 MB alive and below 250 MB", async () => {
  const authentik = await startFakeAuthentik();
  const small = await startGatewayProcess(authentik.url, {
    env: { LOG_LEVEL: "fatal" },
    nodeFlags: [...START_FLAGS, "--max-old-space-size=512"],
  });
  const most = await sendLargeDocuments(small, 200);
  expect(small.child.exitCode).toBeNull();
  await Promise.all([small.stop(), authentik.close()]);
  expect(most).toBeLessThan(250 * MEBIBYTE);
}, 120_000);

describe("an authentik that", () => {
  const at = useMeasuredGateway(startFaultServer);

  test("sends interim responses without end pays for it", async () => {
    const problems = await tooDear(
      "interim responses of authentik",
      at.gateway,
      async ({ url, alsoSent }) => {
        at.authentik.set(FAULTS["sends 200 MB of interim responses"]);
        const { codes } = await ask(url, "{plexConnection(id:5){user}}");
        expect(codes).toEqual([expect.stringMatching(/^UPSTREAM_/)]);
        // What comes in one read, of all that authentik would send.
        alsoSent(64 * KIBIBYTE);
      },
    );
    expect(problems).toEqual([]);
  }, 90_000);

  test("sends 1 MiB in chunks of one byte pays for it", async () => {
    const answer = inChunksOfOneByte();
    const problems = await tooDear("chunks of authentik", at.gateway, async ({ url, alsoSent }) => {
      at.authentik.set((socket) => socket.write(answer));
      const { result } = await ask(url, "{plexConnection(id:5){user}}");
      expect(result).toEqual({ data: { plexConnection: { user: expect.any(Number) } } });
      alsoSent(answer.length);
    });
    expect(problems).toEqual([]);
  }, 90_000);
});

/** The built gateway before what stands for authentik, for all tests of a group, once it has done any work. */
function useMeasuredGateway<Upstream extends { url: URL; close: () => Promise<void> }>(
  start: () => Promise<Upstream>,
): { authentik: Upstream; gateway: ServerProcess } {
  const at: { authentik?: Upstream; gateway?: ServerProcess } = {};
  beforeAll(async () => {
    await buildCli();
    at.authentik = await start();
    at.gateway = await startMeasuredGateway(at.authentik.url);
    await warmUp(at.gateway);
  }, 60_000);
  afterAll(async () => {
    await at.gateway?.stop();
    await at.authentik?.close();
  });
  return at as { authentik: Upstream; gateway: ServerProcess }; // no test runs before the hook
}

/** What any work takes once is no price. */
async function warmUp({ url }: ServerProcess): Promise<void> {
  for (let round = 0; round < 300; round++) await ask(url, `{plexConnection(id:${1 + (round % 90)}){user}}`);
  await ask(url, getIntrospectionQuery());
}
