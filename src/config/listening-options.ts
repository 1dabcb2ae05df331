import { autoOrInteger, integer, listOf, onOff, oneOf } from "./kinds.ts";
import { option } from "./option.ts";

/** Where the gateway listens, what it logs and how it ends. */
export const listeningOptions = {
  HOST: option<string>({
    section: "Listening",
    commands: ["serve", "sandbox"],
    description: "Address to listen on. `0.0.0.0` or `::` lets other machines in.",
    fallback: "127.0.0.1",
    expected: "a host name or an IP address",
    parse: (given) => (/^[\w.:%-]+$/.test(given) ? given : undefined),
  }),
  PORT: integer({
    section: "Listening",
    fallback: 4000,
    min: 0,
    max: 65_535,
    description: "Port to listen on; 0 takes a free one.",
  }),
  WORKERS: autoOrInteger({
    section: "Listening",
    fallback: 1,
    min: 1,
    max: 128,
    description: "Processes that share the port; `auto` starts one for each core.",
  }),
  ALLOWED_HOSTS: listOf({
    section: "Listening",
    fallbackInWords: "any well-formed host; with OPEN_ACCESS on a loopback HOST only localhost",
    description: "Host names, separated by commas and without port, that requests may be addressed to.",
    expected: "host names separated by commas, without port",
    isItem: (item) => /^([\w-]+(\.[\w-]+)*|\[[\da-f:.]+\])$/i.test(item),
  }),
  CORS_ORIGINS: listOf({
    section: "Listening",
    fallbackInWords: "none",
    description: "Origins, separated by commas, whose pages may read answers; `*` for any.",
    expected: "origins such as https://app.example.org separated by commas, or *",
    isItem: (item) => item === "*" || isOrigin(item),
  }),
  LOG_LEVEL: oneOf(["trace", "debug", "info", "warn", "error", "fatal", "silent"], {
    section: "Logs and metrics",
    commands: ["serve", "sandbox"],
    fallback: "info",
    description: "The least important kind of line that is logged. Requests are logged at `info`.",
  }),
  LOG_FORMAT: oneOf(["auto", "json", "pretty"], {
    section: "Logs and metrics",
    commands: ["serve", "sandbox"],
    fallback: "auto",
    description: "`json`: one object for each line; `pretty`: for people; `auto`: pretty on a terminal.",
  }),
  METRICS: onOff({
    section: "Logs and metrics",
    fallback: true,
    description: "Whether `/metrics` answers in Prometheus' text format.",
  }),
  READINESS_CACHE_MS: integer({
    section: "Logs and metrics",
    fallback: 2000,
    min: 0,
    max: 3_600_000,
    unit: "ms",
    description: "How long `/readyz` reuses what it last found out about authentik.",
  }),
  HEADERS_TIMEOUT_MS: integer({
    section: "Slow clients and shutdown",
    fallback: 5000,
    min: 100,
    max: 600_000,
    unit: "ms",
    description: "Time a client has to send the headers of a request; never more than for the whole request.",
  }),
  REQUEST_TIMEOUT_MS: integer({
    section: "Slow clients and shutdown",
    fallback: 10_000,
    min: 100,
    max: 600_000,
    unit: "ms",
    description: "Time a client has to send a whole request.",
  }),
  SOCKET_TIMEOUT_MS: integer({
    section: "Slow clients and shutdown",
    fallback: 5000,
    min: 100,
    max: 600_000,
    unit: "ms",
    description: "Time after which a client that takes nothing of a waiting answer is dropped.",
  }),
  ANSWER_TIMEOUT_MS: integer({
    section: "Slow clients and shutdown",
    fallback: 60_000,
    min: 100,
    max: 3_600_000,
    unit: "ms",
    description: "Time a client has to take a whole answer, however steadily it reads.",
  }),
  KEEP_ALIVE_TIMEOUT_MS: integer({
    section: "Slow clients and shutdown",
    fallback: 95_000,
    min: 1000,
    max: 3_600_000,
    unit: "ms",
    description:
      "Time an idle connection is kept; longer than the idle pools of the usual routers and proxies.",
  }),
  MAX_CONNECTIONS: integer({
    section: "Slow clients and shutdown",
    fallback: 5000,
    min: 1,
    max: 1_000_000,
    description: "Connections open at once, for each worker; further ones are closed at once.",
  }),
  DRAIN_GRACE_MS: integer({
    section: "Slow clients and shutdown",
    fallback: 1000,
    min: 0,
    max: 600_000,
    unit: "ms",
    description:
      "After SIGTERM, how long everything is still served while `/readyz` says 503, so that balancers notice. " +
      "None after SIGINT.",
  }),
  DRAIN_TIMEOUT_MS: integer({
    section: "Slow clients and shutdown",
    fallback: 10_000,
    min: 0,
    max: 3_600_000,
    unit: "ms",
    description:
      "After that grace, how long requests in flight may take before they are cut off (exit code 1).",
  }),
};

function isOrigin(item: string): boolean {
  return URL.canParse(item) && /^https?:/.test(item) && new URL(item).origin === item;
}
