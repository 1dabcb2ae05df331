// npm run example:supergraph [-- --keep]; with --keep the router answers on PORT, 4000 unless told otherwise.
// Sandbox, gateway, a subgraph of watch statistics and a router over both; asks one question that crosses them.
import { startGateway } from "./gateway.mjs";
import { startRouter } from "./router.mjs";
import { startWatchStatistics } from "./watch-statistics.mjs";

const keep = process.argv.includes("--keep");
const authorization = "Bearer token-of-administrator";
const query = `query WhoWatchedMost {
  mostActive(first: 3) {
    id
    watchStatistics { plays minutes favourite }
    plexConnections { source { name } owner { username } }
  }
  plexConnection(id: 5) {
    account { watchStatistics { minutes } }
  }
}`;

// From the first moment on: what has been started by then must end too.
const interrupted = new Promise((resolve) => {
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, resolve);
});

const started = [];
const start = (promise) => {
  started.push(promise);
  return promise;
};

async function run() {
  const gateway = await start(startGateway());
  const statistics = await start(startWatchStatistics());
  const subgraphs = [
    { name: "authentik", url: gateway.url },
    { name: "watch-statistics", url: statistics.url },
  ];
  const router = await start(startRouter(subgraphs, { port: keep ? Number(process.env.PORT ?? 4000) : 0 }));
  for (const { name, url } of [...subgraphs, { name: "router", url: router.url }])
    console.log(`${name.padEnd(16)} ${url}`);

  const response = await fetch(router.url, {
    method: "POST",
    headers: { "content-type": "application/json", authorization },
    body: JSON.stringify({ query }),
  });
  const answer = await response.json();
  console.log(`\n${query}\n\n${JSON.stringify(answer, null, 2)}`);
  if (answer.errors) process.exitCode = 1;

  if (keep) {
    console.log(`\nAsk ${router.url} with the header "Authorization: ${authorization}". Ctrl-C ends it.`);
    await interrupted;
  }
}

try {
  await Promise.race([run(), interrupted]);
} finally {
  for (const server of started.toReversed()) {
    await server.then(
      ({ stop }) => stop(),
      () => {},
    );
  }
}
// What was interrupted is not waited for.
process.exit();
