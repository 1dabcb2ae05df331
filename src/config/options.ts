import * as v from "valibot";
import { parseSandboxFault, type SandboxFault, SANDBOX_FAULTS } from "../sandbox/faults.ts";
import { SANDBOX_RELEASES } from "../sandbox/releases.ts";
import {
  autoOrWholeNumber,
  baseUrl,
  choice,
  type Command,
  listOf,
  type Option,
  option,
  text,
  toggle,
  wholeNumber,
} from "./option.ts";

const port = wholeNumber(0, 65_535);
const count = wholeNumber(0, 1_000_000);
const limit = wholeNumber(1, 1_000_000);
const bytes = wholeNumber(0, 1_073_741_824);
const bodyBytes = wholeNumber(1024, 1_073_741_824);
const duration = wholeNumber(0, 3_600_000);
const budget = wholeNumber(1, 3_600_000);
const patience = wholeNumber(100, 3_600_000);

const url = baseUrl(
  "an http:// or https:// URL such as https://id.example.org or https://example.org/auth, " +
    "without user, password, query, fragment or /api/v3 at its end",
);
// `@cost` and `@listSize` came with 2.9; what is newer than @apollo/subgraph it cannot print.
const link = text(
  /^https:\/\/specs\.apollo\.dev\/federation\/v2\.(?:9|1[0-4])$/,
  "https://specs.apollo.dev/federation/v2.9, or one from v2.10 to v2.14",
);
const file = text(/^[^\0]+$/, "the path of a readable file");
const token = text(
  /^[\x21-\x7e]+$/,
  "the key of an authentik API token: visible ASCII characters, without `Bearer`",
);
const key = text(/^[\x21-\x7e]{16,}$/, "at least 16 visible ASCII characters");
const hostName = text(
  /^([\w-]+(\.[\w-]+)*|\[[\da-f:.]+\])$/i,
  "host names separated by commas, without port",
);
const origin = v.pipe(
  v.string(),
  v.check(
    (item) => item === "*" || (/^https?:/.test(item) && URL.canParse(item) && new URL(item).origin === item),
    "origins such as https://app.example.org separated by commas, or *",
  ),
);
const faultNames = Object.keys(SANDBOX_FAULTS).join(", ");
const fault = v.pipe(
  v.string(),
  v.transform(parseSandboxFault),
  v.custom<SandboxFault>(
    (parsed) => parsed !== null,
    `faults separated by commas, each with a share of the requests if not all, such as reset:0.1,hang:0.05; known are ${faultNames}`,
  ),
);
const sandbox: { commands: readonly Command[] } = { commands: ["serve", "sandbox"] };

/**
 * Every setting, by the heading that it stands below in `--help` and by the name of its environment variable: the one
 * place that defines what can be configured. A row is the kind, the default, the meaning. Names end in their unit
 * where they have one: `_MS`, `_BYTES`. Laid out by hand, as a table is read by rows.
 */
// prettier-ignore
export const sections = {
  authentik: {
    AUTHENTIK_URL: option(url, null,
      "Where authentik is, with its path prefix if it has one. Without it the embedded sandbox answers " +
      "(refused with `NODE_ENV=production`).", { defaultInWords: "the sandbox", emptyIsWrong: true }),
    AUTHENTIK_CA_FILE: option(file, null,
      "PEM file of certificate authorities to trust besides Node's own.", { defaultInWords: "Node's own" }),
    AUTHENTIK_CONNECT_TIMEOUT_MS: budget(3000, "Time to connect to authentik, TLS included."),
    AUTHENTIK_CONCURRENCY: autoOrWholeNumber(1, 1024,
      "Calls to authentik in flight at once; `auto` finds the number between 2 and 256 where more stop helping."),
    AUTHENTIK_QUEUE_MAX: count(10_000,
      "Calls that may wait for their turn, of one token half as many (in service mode all); further ones are refused " +
      "at once."),
    AUTHENTIK_RETRY: toggle(true,
      "Whether a read is sent once more after a reset connection, a worker that ended, 408, 502, 503, 504, 520 " +
      "to 530 or while authentik starts."),
    AUTHENTIK_MAX_RESPONSE_BYTES: bodyBytes(5_242_880, "Largest answer that is accepted from authentik."),
    LIST_STRATEGY: choice(["auto", "off"], "auto",
      "`auto`: many connections are picked from the list where that costs authentik less; `off`: never."),
    COALESCE: toggle(true, "Whether identical reads of one caller in flight at once share one call."),
    CACHE_TTL_MS: duration(0, "How long an answer may be reused for the same caller; 0: never."),
    CACHE_MAX_BYTES: bodyBytes(16_777_216, "Size of that cache."),
  },

  Credentials: {
    AUTHENTIK_TOKEN: option(token, null,
      "Service mode: authentik is asked with this API token instead of the caller's own credentials.",
      { defaultInWords: "callers show their own", secret: true }),
    AUTHENTIK_TOKEN_FILE: option(file, null, "File that holds `AUTHENTIK_TOKEN`; read again when it changes."),
    GATEWAY_KEY: option(key, null,
      "The bearer key that callers must show in service mode.", { secret: true }),
    GATEWAY_KEY_FILE: option(file, null, "File that holds `GATEWAY_KEY`; read again when it changes."),
    OPEN_ACCESS: toggle(false,
      "Service mode without a key: whoever reaches the gateway sees what the token sees. Warns at every start."),
  },

  Listening: {
    HOST: option(text(/^[\w.:%-]+$/, "a host name or an IP address"), "127.0.0.1",
      "Address to listen on. `0.0.0.0` or `::` lets other machines in.",
      { commands: ["serve", "sandbox", "health"] }),
    PORT: port(4000, "Port to listen on; 0 takes a free one.", { commands: ["serve", "health"] }),
    TRUSTED_PROXIES: wholeNumber(0, 100)(0,
      "Proxies in front whose `X-Forwarded-For` is believed when the log names the client's address."),
    ALLOWED_HOSTS: option(listOf(hostName), [],
      "Host names, separated by commas and without port, that requests may be addressed to.",
      { defaultInWords: "any well-formed host; with OPEN_ACCESS on localhost or a loopback address only that" }),
    CORS_ORIGINS: option(listOf(origin), [],
      "Origins, separated by commas, whose pages may read answers; `*` for any.", { defaultInWords: "none" }),
  },

  GraphQL: {
    GRAPHIQL: toggle(true, "Whether browsers that open `/graphql` get GraphiQL, served from here."),
    INTROSPECTION: toggle(true, "Whether `__schema` and `__type` answer; `_service` always does."),
    MUTATIONS: toggle(false,
      "Whether the graph has mutations, which change what authentik holds.", { commands: ["serve", "schema"] }),
    FEDERATION_LINK_URL: option(link, "https://specs.apollo.dev/federation/v2.9",
      "Version of Federation that the subgraph's SDL links to.", { commands: ["serve", "schema"] }),
  },

  Limits: {
    OPERATION_TIMEOUT_MS: budget(10_000, "Time budget of one operation, handed down to every REST call."),
    MAX_OPERATIONS_IN_FLIGHT: limit(500,
      "Operations answered at once; further ones get 503 with `Retry-After`."),
    MAX_BODY_BYTES: bodyBytes(1_048_576, "Largest request body."),
    MAX_HEADER_COUNT: wholeNumber(10, 900)(100, "Header lines of one request."),
    BATCH_LIMIT: wholeNumber(0, 1000)(0, "Operations in one JSON array; 0: arrays are refused."),
    // What must pass: 15,000 tokens is Apollo Router's own parser limit, and 500 aliased connections with all their
    // fields in one shared fragment need 4,100. The standard introspection query is 13 deep, the graph's own longest path
    // 4. A router sends up to 64 `_eN` fields; a page that names 500 connections sends 500 aliases at the root; more than
    // 1,000 would exceed the REST calls of one operation anyway. No router was seen to send more than a handful of
    // directives or fragments. 1,000 aliases times a type's 25 fields make 25,000 fields. The standard introspection query
    // asks for some 5,000 fields; one that asks twice takes twice as long. Clients that merge operations into one alias
    // each operation's `__typename`.
    MAX_TOKENS: wholeNumber(100, 1_000_000)(15_000, "Lexical tokens of a document."),
    MAX_DEPTH: wholeNumber(5, 500)(25, "Fields inside one another, fragments followed."),
    MAX_ALIASES: count(1000, "Aliases in a document."),
    MAX_ALIAS_LENGTH: wholeNumber(20, 10_000)(250, "Letters of an alias."),
    MAX_ROOT_FIELDS: limit(1000, "Fields at the root of all operations of a document."),
    MAX_DIRECTIVES: count(50, "Directives in a document."),
    MAX_FRAGMENTS: count(100, "Fragments in a document."),
    MAX_OPERATIONS: limit(50, "Operations in a document."),
    MAX_FIELDS: wholeNumber(100, 1_000_000)(30_000,
      "Fields of a document, those of a fragment counted wherever it is spread."),
    MAX_INTROSPECTION_FIELDS: limit(8000,
      "Fields of an answer about the schema, by estimate; the whole schema has some 5,000."),
    MAX_ANSWER_FIELDS: limit(50_000,
      "Fields of an answer that stand in lists, counted for each item; one with fields of its own counts as ten."),
    MAX_ERRORS: limit(500,
      "Errors of an answer's fields below the root that are told one by one; further such fields are null, and one " +
      "error says so."),
    MAX_ALIASES_OF_ONE_FIELD: limit(100, "Names for one field of one object."),
    MAX_OVERLAPPING_FIELDS: limit(10_000, "Pairs of fields that validation has to compare with one another."),
    MAX_REPRESENTATIONS: limit(1000, "Representations of all `_entities` fields of an operation."),
    MAX_PAGE_SIZE: wholeNumber(1, 100)(100, "Largest `first` of a list in the graph, and of its default, 20."),
    MAX_REST_CALLS: limit(1000, "REST calls that one operation may cause."),
    MAX_SCANNED_ROWS: limit(1000, "Rows that one lookup may look through where authentik finds more than what is asked for."),
    MAX_PERSISTED_QUERIES_BYTES: bytes(4_194_304,
      "Memory for documents that clients registered by hash (automatic persisted queries); one with " +
      "more than 20 aliases, or fields of items of lists written out, is answered, not kept."),
    DOCUMENT_CACHE_BYTES: bytes(33_554_432,
      "Memory for documents that are kept parsed and validated, by estimate."),
  },

  "Logs and metrics": {
    LOG_LEVEL: choice(["trace", "debug", "info", "warn", "error", "fatal", "silent"], "info",
      "The least important kind of line that is logged. Requests are logged at `info`."),
    LOG_FORMAT: choice(["auto", "json", "pretty"], "auto",
      "`json`: one object for each line; `pretty`: for people; `auto`: pretty on a terminal."),
    METRICS: toggle(true, "Whether `/metrics` answers in Prometheus' text format."),
    READINESS: choice(["gateway", "strict"], "gateway",
      "`gateway`: `/readyz` is 503 when the gateway cannot answer; `strict`: also while authentik is down."),
    READINESS_CACHE_MS: duration(2000, "How long `/readyz` reuses what it last found out about authentik."),
  },

  "Slow clients and shutdown": {
    HEADERS_TIMEOUT_MS: patience(5000,
      "Time a client has to send the headers of a request; never more than for the whole request."),
    REQUEST_TIMEOUT_MS: patience(10_000, "Time a client has to send a whole request."),
    SOCKET_TIMEOUT_MS: patience(5000,
      "Time after which a client that takes nothing of a waiting answer is dropped."),
    ANSWER_TIMEOUT_MS: patience(60_000,
      "Time a client has to take a whole answer, however steadily it reads."),
    KEEP_ALIVE_TIMEOUT_MS: patience(95_000,
      "Time an idle connection is kept; longer than the idle pools of the usual routers and proxies."),
    MAX_CONNECTIONS: limit(5000, "Connections open at once; further ones are closed at once."),
    DRAIN_GRACE_MS: duration(1000,
      "After SIGTERM, how long everything is still served while `/readyz` says 503, so that balancers notice. " +
      "None after SIGINT."),
    DRAIN_TIMEOUT_MS: duration(10_000,
      "After that grace, how long requests in flight may take before they are cut off (exit code 1)."),
  },

  // Read only where the sandbox runs: Kubernetes sets SANDBOX_PORT to a URL for a service that is called sandbox.
  Sandbox: {
    SANDBOX_RELEASE: choice(SANDBOX_RELEASES, "2026.8",
      `The release of authentik whose answers the sandbox gives: ${SANDBOX_RELEASES.join(", ")}.`,
      { ...sandbox, flag: "release" }),
    SANDBOX_PORT: port(0, "Port of the sandbox; 0 takes a free one.", sandbox),
    SANDBOX_LATENCY_MS: wholeNumber(0, 60_000)(0,
      "How long the sandbox waits before every answer.", { ...sandbox, flag: "latency-ms" }),
    SANDBOX_AUTHENTIK_COST: toggle(false,
      "Whether the sandbox takes as long as a small authentik does: two workers, more for each row.",
      { ...sandbox, flag: "authentik-cost" }),
    SANDBOX_FAULTS: option(listOf(fault), [],
      `Faults of the sandbox, separated by commas, each for all requests or a share (\`reset:0.1\`): ${faultNames}.`,
      { ...sandbox, flag: "faults", defaultInWords: "none" }),
  },
} as const;

type Sections = typeof sections;
type OptionName = { [Heading in keyof Sections]: keyof Sections[Heading] }[keyof Sections];
type SectionOf<Name extends OptionName> = Extract<Sections[keyof Sections], { [N in Name]: unknown }>;

/** The value of every setting. */
export type Values = {
  readonly [Name in OptionName]: SectionOf<Name>[Name] extends Option<infer Value> ? Value : never;
};

/** Every setting with its name, in the order of the documentation. */
export const options = Object.values(sections).flatMap((section) => Object.entries<Option<unknown>>(section));
