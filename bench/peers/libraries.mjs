/**
 * The libraries that ours is made of, one of each, and nothing of ours: node:http, graphql-js, DataLoader, undici's
 * `dispatch`, a deadline, a line of pino's and what prom-client counts for an operation. No limit, no check, no queue.
 */
import { createServer } from "node:http";
import DataLoader from "dataloader";
import { buildSchema, execute, parse, validate } from "graphql";
import pino from "pino";
import { Counter, Histogram } from "prom-client";
import { Pool } from "undici";
import { connectionPath, peerSettings, toConnection, typeDefs } from "./graph.mjs";

const DEADLINE_MS = 10_000;
const { upstreamUrl, port } = peerSettings();
const pool = new Pool(upstreamUrl);
const destination = pino.destination({
  sync: false,
  minLength: 8192,
  maxWrite: 16_384,
  periodicFlush: 200,
});
const log = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination);
const counter = (name, label) => new Counter({ name, help: name, labelNames: [label] });
const histogram = (name, labelNames = []) => new Histogram({ name, help: name, labelNames });
const [outcomes, statuses] = [counter("outcomes", "outcome"), counter("statuses", "status")];
const each = ["seconds", "rest_calls", "keys"].map((name) => histogram(name));
const upstreamSeconds = histogram("upstream_seconds", ["route", "outcome"]);

const schema = buildSchema(typeDefs);
const rootValue = { plexConnection: ({ id }, { connections }) => connections.load(id) };
const documents = new Map();

function prepare(query) {
  let document = documents.get(query);
  if (document) return document;
  document = parse(query);
  if (validate(schema, document).length > 0) throw new Error("not valid");
  documents.set(query, document);
  return document;
}

/** @returns {Promise<any>} */
function get(path, { authorization, requestId, signal }) {
  return new Promise((resolve, reject) => {
    let text = "";
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    const headers = { authorization, accept: "application/json", "x-request-id": requestId };
    pool.dispatch(
      { method: "GET", path: `/api/v3/${path}`, headers },
      {
        onRequestStart() {},
        onResponseStart() {},
        onResponseData: (_controller, chunk) => void (text += chunk),
        onResponseEnd: () => resolve(JSON.parse(text)),
        onResponseError: (_controller, error) => reject(error),
      },
    );
  });
}

async function answer(body, { authorization = "", "x-request-id": requestId = "" }) {
  const { query, variables } = JSON.parse(body);
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), DEADLINE_MS);
  const caller = { authorization, requestId, signal: deadline.signal };
  const connections = new DataLoader((ids) =>
    Promise.all(ids.map(async (id) => toConnection(await get(connectionPath(id), caller)))),
  );
  const document = prepare(query);
  const contextValue = { connections };
  const result = await execute({ schema, document, rootValue, contextValue, variableValues: variables });
  clearTimeout(timer);
  return JSON.stringify(result);
}

function note(requestId, ms) {
  log.info(
    { requestId, method: "POST", path: "/graphql", status: 200, durationMs: ms, restCalls: 1 },
    "request",
  );
  outcomes.inc({ outcome: "ok" });
  statuses.inc({ status: 200 });
  for (const one of each) one.observe(ms / 1000);
  upstreamSeconds.observe({ route: "/{id}/", outcome: "ok" }, ms / 1000);
}

createServer((request, response) => {
  const startMs = performance.now();
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", async () => {
    const body = await answer(Buffer.concat(chunks).toString(), request.headers);
    const headers = { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) };
    response.writeHead(200, headers).end(body);
    note(request.headers["x-request-id"], performance.now() - startMs);
  });
}).listen(port, "127.0.0.1");
