import type { IncomingMessage, ServerResponse } from "node:http";
import type { GraphQLSchema } from "graphql";
import type { GraphQLParams } from "graphql-yoga";
import { createCallerKeys } from "./authentik/caller-key.ts";
import type { Authentik, AuthentikClient } from "./authentik/client.ts";
import { AuthentikError } from "./authentik/errors.ts";
import { presentError } from "./graphql/errors.ts";
import { type Answer, type AnswerMediaType, negotiate } from "./http/answer.ts";
import { createCallerCheck, createRefusingClient, type Credentials } from "./http/callers.ts";
import { createEngine, type EngineOptions } from "./http/engine.ts";
import { createGraphiqlPage } from "./http/graphiql.ts";
import { createExchange, type Exchange, type RequestRecord } from "./http/exchange.ts";
import { answerOf, type Outcome, parseParams } from "./http/json-post.ts";
import { createOperationScope, type OperationScope } from "./http/operation-scope.ts";
import { createOverloadGuard } from "./http/overload.ts";
import { readBody } from "./http/read-body.ts";
import { guardRequest, type Refusal } from "./http/request-guard.ts";
import type { ServerContext } from "./http/server-context.ts";
import { createSharedOperations, type Execution } from "./http/shared-operations.ts";

/** What the GraphQL endpoint allows. Durations in milliseconds, sizes in bytes. */
export interface GatewayOptions extends EngineOptions {
  credentials: Credentials;
  /** One budget for an operation: from the body's last byte to the last byte of the last REST call. */
  operationTimeoutMs: number;
  maxBodyBytes: number;
  /** Header lines of one request; more are refused with 431. */
  maxHeaderCount: number;
  /** REST calls that one operation may cause. */
  maxRestCalls: number;
  /** Federation representations in one `_entities` field. */
  maxRepresentations: number;
  graphiql: boolean;
  /** Host names (without port) that are answered; empty: any well-formed one. */
  allowedHosts: readonly string[];
  /** Whether identical operations of one caller in flight at once share one execution. */
  coalesce: boolean;
  /** In-flight operations from which new ones get 503 with Retry-After. */
  maxOperationsInFlight: number;
  /** How late the event loop may run, in milliseconds, before new operations get 503. Default 500. */
  maxLoopDelayMs?: number;
  /** Shown in GraphiQL and readiness when the embedded sandbox answers instead of an authentik. */
  sandboxToken: string | null;
}

export type { Credentials } from "./http/callers.ts";
export type { RequestRecord } from "./http/exchange.ts";

/** What the gateway needs from the process around it. */
export interface GatewayDependencies {
  schema: GraphQLSchema;
  authentik: Authentik;
  onRequest: (record: RequestRecord) => void;
  /** Further paths of the same listener (`/healthz`, `/readyz`, `/metrics`), exact match. */
  routes: ReadonlyMap<string, (request: IncomingMessage, response: ServerResponse) => void>;
}

/** The HTTP edge as a listener for `node:http`. */
export interface Gateway {
  listener: (request: IncomingMessage, response: ServerResponse) => void;
  /** Operations being answered now. */
  inFlight(): number;
  /** From now on every answer says `Connection: close`. */
  startDraining(): void;
  /** Loads what the first plain operation does without, so that nobody has to wait for it later. */
  warmUp(): Promise<void>;
  close(): Promise<void>;
}

/** Longest request body that identical operations are recognised by, in characters. */
const MAX_SHARED_LENGTH = 16_384;

const NOT_FOUND: Refusal = {
  status: 404,
  code: "BAD_REQUEST",
  message: "Nothing is served here. The graph is at /graphql.",
  headers: {},
};

const NOT_ACCEPTABLE: Refusal = {
  status: 406,
  code: "BAD_REQUEST",
  message: "Accept application/json or application/graphql-response+json in UTF-8.",
  headers: {},
};

/**
 * The HTTP edge: guards every request, executes operations with the caller's credentials, writes one record for each.
 *
 * JSON by POST takes the short way (read, parse, execute, write); everything else goes through yoga's HTTP layer.
 * Both ways execute with the same hooks and present results with the same functions.
 */
export function createGateway(options: GatewayOptions, dependencies: GatewayDependencies): Gateway {
  const { operationTimeoutMs, maxRestCalls, maxRepresentations } = options;
  const { schema, authentik, onRequest, routes } = dependencies;
  const engine = createEngine(schema, options);
  const checkCaller = createCallerCheck(options.credentials);
  const callerKey = createCallerKeys();
  const overload = createOverloadGuard(options);
  const sharedOperations = createSharedOperations<Outcome>({ budgetMs: operationTimeoutMs });
  // A mutation must run as often as it was asked for.
  const coalesce = options.coalesce && !schema.getMutationType();
  const { credentials } = options;
  const guard = {
    ...options,
    allowedHosts: options.allowedHosts.map((host) => host.toLowerCase()),
    preflight: options.corsOrigins.length > 0,
    openAccess: credentials.mode === "service" && credentials.gatewayKey === null,
  };
  const page = options.graphiql ? createGraphiqlPage({ ...options, endpoint: "/graphql" }) : null;
  let inFlight = 0;
  let draining = false;

  function listener(request: IncomingMessage, response: ServerResponse) {
    const path = pathOf(request.url);
    const route = routes.get(path);
    if (route) {
      route(request, response);
      return;
    }
    const unacceptable = guardRequest(request, guard);
    if (!unacceptable && page?.serve(request, response, { close: draining })) return;
    const exchange = createExchange(request, response, { closing: () => draining, onRequest });
    const refusal = unacceptable ?? (path === "/graphql" ? overload.refuse(inFlight) : NOT_FOUND);
    if (refusal) {
      exchange.refuse(refusal);
      return;
    }
    serve(request, response, exchange).catch((error: unknown) =>
      exchange.answer(internalError(error, exchange)),
    );
  }

  async function serve(request: IncomingMessage, response: ServerResponse, exchange: Exchange) {
    const mediaType = negotiate(request.headers.accept);
    if (mediaType === null) {
      exchange.refuse(NOT_ACCEPTABLE);
      return;
    }
    const body = request.method === "POST" ? await readBody(request, options) : "";
    if (typeof body !== "string") {
      if (body === null) exchange.abandon();
      else exchange.refuse(body);
      return;
    }
    // Only now does it count: bodies that trickle in would otherwise fill all places without asking for anything.
    const refusal = overload.refuse(inFlight);
    if (refusal) {
      exchange.refuse(refusal);
      return;
    }
    inFlight += 1;
    try {
      const params = engine.needsYoga(request) ? null : parseParams(body);
      const answer = params
        ? await execute(params, { request, response, body, exchange, mediaType })
        : await viaYoga(request, { response, body, exchange });
      if (answer) exchange.answer(answer);
      else exchange.abandon();
    } finally {
      inFlight -= 1;
    }
  }

  async function execute(
    params: GraphQLParams,
    options: {
      request: IncomingMessage;
      response: ServerResponse;
      body: string;
      exchange: Exchange;
      mediaType: AnswerMediaType;
    },
  ): Promise<Answer | null> {
    const { request, response, body, exchange, mediaType } = options;
    const start = (): Execution<Outcome> => {
      const scope = createOperationScope({ budgetMs: operationTimeoutMs });
      const context = contextOf(request, { scope, exchange });
      return {
        scope,
        result: engine
          .execute(params, context)
          .then((result) => ({ result }))
          .finally(() => scope.end()),
      };
    };
    let execution: Execution<Outcome>;
    if (coalesce && body.length <= MAX_SHARED_LENGTH) {
      const key = `${callerKey(request.headers.authorization ?? "")} ${body}`;
      ({ execution, shared: exchange.shared } = sharedOperations.enter(key, start));
    } else execution = start();
    const outcome = await whileConnected(response, execution);
    return outcome && answerOf(outcome, exchange, mediaType);
  }

  function viaYoga(
    request: IncomingMessage,
    { response, body, exchange }: { response: ServerResponse; body: string; exchange: Exchange },
  ): Promise<Answer | null> {
    const scope = createOperationScope({ budgetMs: operationTimeoutMs });
    const context = contextOf(request, { scope, exchange });
    const result = engine
      .handle(request, request.method === "POST" ? body : null, context)
      .finally(() => scope.end());
    return whileConnected(response, { scope, result });
  }

  function contextOf(
    request: IncomingMessage,
    { scope, exchange }: { scope: OperationScope; exchange: Exchange },
  ): ServerContext {
    const { requestId, operation, codes, onProblem } = exchange;
    const authorization = checkCaller(request.headers.authorization);
    const client: AuthentikClient =
      authorization instanceof AuthentikError
        ? createRefusingClient(authentik, authorization)
        : authentik.forCaller({ authorization, requestId, signal: scope.signal, maxRestCalls });
    exchange.usage = client.usage;
    return { authentik: client, requestId, maxRepresentations, operation, codes, onProblem };
  }

  return {
    listener,
    inFlight: () => inFlight,
    startDraining: () => {
      draining = true;
    },
    warmUp: () => engine.warmUp(),
    async close() {
      overload.close();
      await engine.dispose();
    },
  };
}

/** Resolves with the result, or with null as soon as the client has left. */
function whileConnected<T>(response: ServerResponse, { scope, result }: Execution<T>): Promise<T | null> {
  const leave = scope.join();
  return new Promise((resolve, reject) => {
    const onClose = () => {
      leave();
      resolve(null);
    };
    const stay = () => response.off("close", onClose);
    if (response.destroyed) onClose();
    response.once("close", onClose);
    result.then(resolve, reject).finally(stay);
  });
}

function internalError(error: unknown, exchange: Exchange): Answer {
  const presented = presentError(error, { ...exchange, fallbackCode: "INTERNAL_SERVER_ERROR" });
  exchange.codes.add(presented.extensions.code);
  return { status: 500, mediaType: "application/json", body: JSON.stringify({ errors: [presented] }) };
}

function pathOf(url = "/"): string {
  const query = url.indexOf("?");
  return query === -1 ? url : url.slice(0, query);
}
