import type { IncomingMessage, RequestListener } from "node:http";
import type { GraphQLSchema } from "graphql";
import type { Authentik } from "../authentik/client.ts";
import type { Config } from "../config/load.ts";
import { formatError } from "../graphql/errors.ts";
import { createExecutor } from "../graphql/execute.ts";
import { isJsonObject } from "../authentik/decoders.ts";
import type { RequestRecord } from "../observability/log.ts";
import type { Tracing } from "../observability/tracing.ts";
import { createCors } from "./cors.ts";
import { createCallerCheck, type Credentials } from "./credentials.ts";
import { createFastPath } from "./fast-path.ts";
import { createGraphiqlPage } from "./graphiql/page.ts";
import { createOverloadGuard } from "./overload.ts";
import { beginRequest, type PendingRequest } from "./pending-request.ts";
import { readBody } from "./read-body.ts";
import { guardRequest, parseTarget, type RequestTarget } from "./request-guard.ts";
import { type GraphQLRequest, type ParsedParams, parseParams, TRACE_HEADER } from "./request-params.ts";
import { type GraphQLResponse, httpError, negotiate } from "./graphql-response.ts";
import { createRunOperation, type IdentifiedCaller } from "./run-operation.ts";

/** What the GraphQL endpoint allows: the options of its table, and what is known only when it starts. */
export interface GatewayOptions extends Omit<Config["gateway"], "credentials"> {
  credentials: Credentials;
  /** How late the event loop may run, in milliseconds, before new operations get 503. Default 500. */
  maxLoopDelayMs?: number;
  /** Shown in GraphiQL and readiness when the embedded sandbox answers instead of an authentik. */
  sandboxToken: string | null;
}

/** What the gateway needs from the process around it. */
export interface GatewayDependencies {
  schema: GraphQLSchema;
  authentik: Authentik;
  /** Null: nothing is traced. */
  tracing: Tracing | null;
  onRequest: (record: RequestRecord) => void;
  /** Further paths of the same listener (`/healthz`, `/readyz`, `/metrics`), exact match. */
  routes: ReadonlyMap<string, RequestListener>;
}

/** Path of the graph. */
export const ENDPOINT = "/graphql";

const NOT_FOUND = httpError(404, "Nothing is served here. The graph is at /graphql.");
const NOT_ACCEPTABLE = httpError(
  406,
  "Accept application/json or application/graphql-response+json in UTF-8.",
);

/** To `OPTIONS`, which is let through where browsers of other origins are. */
const NO_CONTENT = { status: 204, mediaType: "application/json", body: "" } as const;
const ALLOW = ["Allow", "GET, POST, OPTIONS"];

/**
 * The graph over HTTP: guards every request, executes operations with the caller's credentials, writes one record for
 * each request. One operation takes the fast path; batches, persisted queries and traces go through yoga.
 */
export function createGateway(options: GatewayOptions, dependencies: GatewayDependencies) {
  const { schema, authentik, tracing, onRequest, routes } = dependencies;
  const { credentials, documentLimits: limits, documentCacheBytes: cacheBytes, introspection } = options;
  const executorOf = (ofSchema: GraphQLSchema) =>
    createExecutor({ schema: ofSchema, limits, cacheBytes, introspection });
  const executor = executorOf(schema);
  const runOperation = createRunOperation(authentik, options);
  const fastPath = createFastPath({ ...options, executor, authentik, runOperation });
  const checkCaller = createCallerCheck(credentials);
  const overload = createOverloadGuard(options);
  const cors = createCors(options.corsOrigins);
  const guard = {
    ...options,
    allowedHosts: options.allowedHosts.map((host) => host.toLowerCase()),
    preflight: options.corsOrigins.length > 0,
    openAccess: credentials.mode === "service" && credentials.gatewayKey === null,
  };
  const page = options.graphiql ? createGraphiqlPage({ ...options, endpoint: ENDPOINT }) : null;
  let inFlight = 0;
  let loadingYoga: ReturnType<typeof loadYoga> | null = null;

  const yoga = () => (loadingYoga ??= loadYoga());

  async function loadYoga() {
    // oxlint-disable-next-line no-restricted-imports -- late, and the only one
    const { createYogaServer } = await import("./yoga.ts");
    return createYogaServer({ ...options, schema, executor, createExecutor: executorOf });
  }

  const listener: RequestListener = (message, response) => {
    const target = parseTarget(message);
    const route = target && routes.get(target.path);
    // HTTP/1.0, which balancers ask in, has no Host.
    if (route && (message.headers.host !== undefined || message.httpVersion === "1.0")) {
      if (message.method === "GET" || message.method === "HEAD") route(message, response);
      else response.writeHead(405, { Allow: "GET, HEAD" }).end();
      return;
    }
    const refusal = guardRequest(message, target, guard);
    if (!refusal && target && page?.serve(message, response, target)) return;
    const pending = beginRequest(message, response, {
      path: target?.path ?? "",
      cors: cors.headers(message.headers),
      clientAddress: clientAddressOf(message, options),
      onRequest,
    });
    if (refusal || !target) pending.refuse(refusal ?? NOT_FOUND);
    else if (message.method === "OPTIONS")
      pending.respond({ ...NO_CONTENT, headers: cors.preflight(message.headers) ?? ALLOW });
    else if (target.path !== ENDPOINT) pending.refuse(NOT_FOUND);
    else void serve(message, { target, pending });
  };

  /** Reads the body and answers. Never rejects. */
  async function serve(
    message: IncomingMessage,
    { target, pending }: { target: RequestTarget; pending: PendingRequest },
  ): Promise<void> {
    const mediaType = negotiate(message.headers.accept);
    const early = overload.refuse(inFlight);
    if (early) return pending.refuse(early);
    if (mediaType === null) return pending.refuse(NOT_ACCEPTABLE);
    const body = message.method === "POST" ? await readBody(message, options) : "";
    if (body === null) return;
    if (typeof body !== "string") return pending.refuse(body);
    // Only now does it count: bodies that trickle in would otherwise fill all places without asking for anything.
    const late = overload.refuse(inFlight);
    if (late) return pending.refuse(late);
    inFlight += 1;
    try {
      const { method, headers } = message;
      const { search } = target;
      const caller = identify(headers.authorization);
      // Where all show the gateway's token, it tells nobody from anybody else.
      if (credentials.mode === "caller" && !(caller instanceof Error)) pending.callerKey = caller.key;
      if (tracing) pending.span = tracing.startOperation(headers);
      const params = parseParams({ method, search, body });
      const request = { method, params, text: body || search.toString(), mediaType, caller };
      pending.respond(await execute(request, { pending, trace: headers[TRACE_HEADER] }));
    } catch (error) {
      pending.respond(internalError(error, pending));
    } finally {
      inFlight -= 1;
    }
  }

  function execute(
    request: GraphQLRequest,
    { pending, trace }: { pending: PendingRequest; trace: unknown },
  ): Promise<GraphQLResponse> {
    if (trace === undefined && isSingle(request.params)) return fastPath(request, pending);
    const { result, abort } = runOperation(pending, request.caller, async (context) =>
      (await yoga()).handle(request, { context, pending, trace }),
    );
    pending.onAbort = abort;
    return result;
  }

  function identify(authorization: string | undefined): IdentifiedCaller {
    const checked = checkCaller(authorization);
    return checked instanceof Error ? checked : authentik.identify(checked);
  }

  return {
    listener,
    /** Operations being answered now. */
    inFlight: () => inFlight,
    /** Loads yoga, which the fast path does without, so that nobody has to wait for it later. */
    async warmUp() {
      await yoga();
    },
    async close() {
      overload.close();
      await (await loadingYoga)?.dispose();
    },
  };
}

/** Address of the client: the one that the outermost trusted proxy saw. Only ever logged. */
function clientAddressOf(
  { headers, socket }: IncomingMessage,
  { trustedProxies }: GatewayOptions,
): string | undefined {
  const forwarded = headers["x-forwarded-for"];
  if (trustedProxies === 0 || forwarded === undefined) return socket.remoteAddress;
  const addresses = [...String(forwarded).split(","), socket.remoteAddress ?? ""];
  return addresses.at(-1 - trustedProxies)?.trim() ?? addresses[0]?.trim();
}

/** Whether these are the parameters of one operation without extensions, such as its hash. */
function isSingle(params: ParsedParams): boolean {
  return !Array.isArray(params) && !(isJsonObject(params) && isJsonObject(params["extensions"]));
}

function internalError(error: unknown, pending: PendingRequest): GraphQLResponse {
  const formatted = formatError(error, { ...pending, fallbackCode: "INTERNAL_SERVER_ERROR" });
  pending.codes.add(formatted.extensions.code);
  return { status: 500, mediaType: "application/json", body: JSON.stringify({ errors: [formatted] }) };
}
