/**
 * A stand-in for authentik that takes the time a real one takes: a few workers, first come first served, a fixed cost
 * for a retrieve (found or not) and a cost for a list that grows with its rows. Nothing is spent for real.
 *
 *   node timed-stub.mjs [--port N] [--workers 2] [--speed 1] [--retrieve-ms 33] [--list-base-ms 30] [--list-row-ms 2.6]
 *
 * `--workers 0` is a server that never queues; `--speed 10` makes everything ten times faster, ratios unchanged, and
 * reports costs as if it had not. Prints {"url": …} once it listens.
 *   GET /__stub/stats    counters as JSON
 *   GET /__stub/reset?delay_us=N&chunked=1    the same, to zero afterwards; every answer takes so much longer, and is
 *                                             sent in chunks, from now on
 */
import { createServer } from "node:http";
import { performance } from "node:perf_hooks";
import { parseArgs } from "node:util";
import {
  connectionListing,
  connectionRow,
  isUser,
  maySee,
  pageOf,
  sightOf,
  sourceListing,
  userListing,
  userRow,
} from "./directory.mjs";

const number = (text) => ({ type: "string", default: text });
const { values } = parseArgs({
  options: {
    port: number("0"),
    workers: number("2"),
    speed: number("1"),
    "retrieve-ms": number("33"),
    "list-base-ms": number("30"),
    "list-row-ms": number("2.6"),
  },
});
const speed = Number(values.speed);
const RETRIEVE_MS = Number(values["retrieve-ms"]);
/** A wrong token is found out a few statements before the row would be. */
const WRONG_TOKEN_MS = RETRIEVE_MS * 0.85;
const CONNECTION_LIST = { baseMs: Number(values["list-base-ms"]), rowMs: Number(values["list-row-ms"]) };
// Measured on 2025.12.4, on a machine where a connection takes 38 ms.
const USER_MS = 43;
const ME_MS = 41;
const VERSION_MS = 67;
const USER_LIST = { baseMs: 42, rowMs: 2 };
const SOURCE_LISTS = { plex: { baseMs: 48, rowMs: 0 }, all: { baseMs: 63, rowMs: 0 } };

const freeAtMs = Array.from({ length: Number(values.workers) }, () => 0);
const counters = { calls: 0, retrieves: 0, lists: 0, rows: 0, refused: 0, costMs: 0 };
let inFlight = 0;
let delayMs = 0;
let chunked = false;

/** @param {import("node:http").ServerResponse} response @param {number} status @param {unknown} value */
function send(response, status, value) {
  const body = JSON.stringify(value);
  const headers = {
    "Content-Type": "application/json",
    Vary: ["Accept-Encoding", "Cookie"],
    "X-Powered-By": "authentik",
  };
  if (!chunked) headers["Content-Length"] = Buffer.byteLength(body);
  response.writeHead(status, headers);
  if (chunked) response.write(body);
  response.end(chunked ? undefined : body);
}

/** Calls back once a worker has spent the time: starts and ends are reckoned exactly, only the callback is coarse. */
function work(costMs, done) {
  const nowMs = performance.now();
  let endMs = nowMs + costMs;
  if (freeAtMs.length > 0) {
    const earliest = freeAtMs.indexOf(Math.min(...freeAtMs));
    endMs = Math.max(nowMs, freeAtMs[earliest]) + costMs;
    freeAtMs[earliest] = endMs;
  }
  inFlight++;
  const finish = () => {
    inFlight--;
    done();
  };
  if (endMs - nowMs < 0.5) finish();
  else setTimeout(finish, endMs - nowMs);
}

const refusal = (detail, costMs) => ({ costMs, status: 403, value: { detail } });

function retrieve(costMs, value) {
  counters.retrieves++;
  return value
    ? { costMs, status: 200, value }
    : { costMs, status: 404, value: { detail: "No UserPlexSourceConnection matches the given query." } };
}

/** @param {import("./directory.mjs").Listing} listing */
function list(listing, query, { baseMs, rowMs }) {
  counters.lists++;
  const page = pageOf(listing, {
    page: Number(query.get("page") ?? 1),
    pageSize: Number(query.get("page_size")) || 100,
  });
  if (!page) return { costMs: baseMs, status: 404, value: { detail: "Invalid page." } };
  counters.rows += page.results.length;
  return { costMs: baseMs + rowMs * page.results.length, status: 200, value: page };
}

/** @type {[RegExp, (match: RegExpExecArray, query: URLSearchParams, sight: import("./directory.mjs").Sight) => any][]} */
const ROUTES = [
  [
    /^sources\/user_connections\/plex\/(\d+)\/$/,
    ([, pk], _query, sight) => retrieve(RETRIEVE_MS, maySee(sight, Number(pk)) && connectionRow(Number(pk))),
  ],
  [
    /^sources\/user_connections\/plex\/$/,
    (_match, query, sight) => {
      const user = query.get("user");
      return user !== null && !isUser(Number(user))
        ? { costMs: CONNECTION_LIST.baseMs, status: 400, value: { user: ["Select a valid choice."] } }
        : list(connectionListing(sight, query), query, CONNECTION_LIST);
    },
  ],
  [/^core\/users\/me\/$/, () => ({ costMs: ME_MS, status: 200, value: { user: userRow(1001) } })],
  [/^core\/users\/(\d+)\/$/, ([, pk]) => retrieve(USER_MS, isUser(Number(pk)) && userRow(Number(pk)))],
  [/^core\/users\/$/, (_match, query) => list(userListing(query), query, USER_LIST)],
  [/^sources\/(plex|all)\/$/, ([, kind], query) => list(sourceListing(kind), query, SOURCE_LISTS[kind])],
  [
    /^admin\/version\/$/,
    () => ({
      costMs: VERSION_MS,
      status: 200,
      value: { version_current: "2025.12.4", version_latest: "2025.12.4" },
    }),
  ],
];

/** @returns {{ costMs: number, status: number, value: unknown }} */
function answerTo({ pathname, searchParams }, authorization) {
  const sight = sightOf(authorization);
  if (sight === undefined) return refusal("Authentication credentials were not provided.", 0);
  if (sight === null) {
    counters.refused++;
    return refusal("Token invalid/expired", WRONG_TOKEN_MS);
  }
  for (const [pattern, answer] of ROUTES) {
    const match = pattern.exec(pathname.slice("/api/v3/".length));
    if (match) return answer(match, searchParams, sight);
  }
  return { costMs: 0, status: 404, value: { detail: "Not found." } };
}

const server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
  const url = new URL(request.url ?? "/", "http://stub");
  if (!url.pathname.startsWith("/__stub/")) {
    const { costMs, status, value } = answerTo(url, request.headers.authorization);
    counters.calls++;
    counters.costMs += costMs;
    work(costMs / speed + delayMs, () => send(response, status, value));
    return;
  }
  send(response, 200, { ...counters, inFlight });
  if (!url.pathname.endsWith("/reset")) return;
  for (const name of Object.keys(counters)) counters[name] = 0;
  delayMs = Number(url.searchParams.get("delay_us") ?? delayMs * 1000) / 1000;
  chunked = Number(url.searchParams.get("chunked") ?? chunked) === 1;
});

server.listen(Number(values.port), "127.0.0.1", () => {
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${server.address().port}` })}\n`);
});
