/**
 * A stand-in for authentik that takes the time a real one takes: a few workers, first come first served, a fixed
 * cost for a retrieve (found or not) and a cost for a list that grows with its rows. Nothing is spent for real.
 *
 *   node timed-stub.mjs [--port N] [--workers 2] [--retrieve-ms 33] [--list-base-ms 30] [--list-row-ms 2.6]
 *                       [--speed 1] [--max-page-size 0]
 *
 * `--workers 0` is a server that never queues; `--speed 10` makes everything ten times faster, ratios unchanged, and
 * reports costs as if it had not. Prints {"url": …} once it listens.
 *   GET /__stub/stats    counters and in-flight figures as JSON
 *   GET /__stub/reset?delay_us=N    the same, to zero afterwards; every answer takes so much longer from now on
 */
import { createServer } from "node:http";
import { parseArgs } from "node:util";
import { listPage, maySee, connectionRow, sightOf } from "./directory.mjs";
import { createInFlightLog } from "./in-flight-log.mjs";
import { createWorkerQueue } from "./worker-queue.mjs";

const PREFIX = "/api/v3/sources/user_connections/plex/";
const number = (text) => ({ type: "string", default: text });
const { values } = parseArgs({
  options: {
    port: number("0"),
    workers: number("2"),
    "retrieve-ms": number("33"),
    "list-base-ms": number("30"),
    "list-row-ms": number("2.6"),
    speed: number("1"),
    "max-page-size": number("0"),
  },
});
const speed = Number(values.speed);
const retrieveMs = Number(values["retrieve-ms"]);
const listBaseMs = Number(values["list-base-ms"]);
const listRowMs = Number(values["list-row-ms"]);
const maxPageSize = Number(values["max-page-size"]) || Number.POSITIVE_INFINITY;

const inFlightLog = createInFlightLog();
const queue = createWorkerQueue({ workers: Number(values.workers), onChange: inFlightLog.change });
const counters = { retrieves: 0, lists: 0, rows: 0, others: 0, costMs: 0, finished: 0 };
const headers = {
  "Content-Type": "application/json",
  Vary: ["Accept-Encoding", "Cookie"],
  "Referrer-Policy": "same-origin",
  "X-Authentik-Id": "0".repeat(32),
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "X-Powered-By": "authentik",
};

/** @param {import("node:http").ServerResponse} response @param {number} status @param {unknown} value */
function send(response, status, value) {
  const body = JSON.stringify(value);
  response.writeHead(status, { ...headers, "Content-Length": Buffer.byteLength(body) }).end(body);
}

/** Added to every answer, for nothing: what a network would add. */
let delayMs = 0;

/** @param {import("node:http").ServerResponse} response @param {{ costMs: number, status: number, value: unknown }} work */
function spend(response, { costMs, status, value }) {
  counters.costMs += costMs;
  queue.submit(costMs / speed + delayMs, () => {
    counters.finished++;
    send(response, status, value);
  });
}

/** @param {import("./directory.mjs").Sight} sight @param {URLSearchParams} query */
function listWork(sight, query) {
  const pageSize = Math.min(Number(query.get("page_size")) || 100, maxPageSize);
  const page = listPage(sight, { page: Number(query.get("page") ?? 1), pageSize });
  counters.lists++;
  if (!page) return { costMs: listBaseMs, status: 404, value: { detail: "Invalid page." } };
  counters.rows += page.results.length;
  return { costMs: listBaseMs + listRowMs * page.results.length, status: 200, value: page };
}

/** @param {import("./directory.mjs").Sight} sight @param {number} pk */
function retrieveWork(sight, pk) {
  counters.retrieves++;
  return maySee(sight, pk)
    ? { costMs: retrieveMs, status: 200, value: connectionRow(pk) }
    : {
        costMs: retrieveMs,
        status: 404,
        value: { detail: "No UserPlexSourceConnection matches the given query." },
      };
}

const server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://stub");
  if (pathname.startsWith("/__stub/")) {
    send(response, 200, { ...counters, inFlight: queue.inFlight(), ...inFlightLog.summary() });
    if (pathname.endsWith("/reset")) {
      for (const name of Object.keys(counters)) counters[name] = 0;
      inFlightLog.reset();
      if (searchParams.has("delay_us")) delayMs = Number(searchParams.get("delay_us")) / 1000;
    }
    return;
  }
  if (!pathname.startsWith(PREFIX)) {
    counters.others++;
    send(response, 200, {});
    return;
  }
  const sight = sightOf(request.headers.authorization);
  if (!sight) {
    counters.others++;
    send(response, 403, { detail: "Authentication credentials were not provided." });
    return;
  }
  const key = /^(\d+)\/$/.exec(pathname.slice(PREFIX.length));
  spend(response, key ? retrieveWork(sight, Number(key[1])) : listWork(sight, searchParams));
});

server.listen(Number(values.port), "127.0.0.1", () => {
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${server.address().port}` })}\n`);
});
