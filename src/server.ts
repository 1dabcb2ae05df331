import type { IncomingMessage, ServerResponse } from "node:http";
import type { GraphQLSchema } from "graphql";
import type { Cancellation } from "./authentik/cancellation.ts";
import type { Authentik, AuthentikClient, CallerIdentity } from "./authentik/client.ts";
import { AuthentikError } from "./authentik/errors.ts";
import { presentError } from "./graphql/errors.ts";
import { type Answer, type AnswerMediaType, negotiate } from "./http/answer.ts";
import { createCallerCheck, createRefusingClient, type Credentials } from "./http/callers.ts";
import { createEngine, type EngineOptions } from "./http/engine.ts";
import { createGraphiqlPage } from "./http/graphiql.ts";
import { createExchange, type Exchange, type RequestRecord } from "./http/exchange.ts";
import { type Execution, startExecution } from "./http/execution.ts";
import { answerOf, parseParams } from "./http/json-post.ts";
import { createOverloadGuard } from "./http/overload.ts";
import type { ServePlain } from "./http/plain-connection.ts";
import type { PlainHead } from "./http/plain-head.ts";
import { readBody } from "./http/read-body.ts";
import { type Recipient, responseRecipient } from "./http/recipient.ts";
import { guardRequest, type Refusal } from "./http/request-guard.ts";
import type { RequestHead } from "./http/request-head.ts";
import type { ServerContext } from "./http/server-context.ts";
import { createSharedOperations } from "./http/shared-operations.ts";

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
  /** Rows that one page of a list may have. Default 100. */
  maxPageSize?: number;
  /** Rows of a list that may be looked through for what authentik cannot filter by. Default 1000. */
  maxScannedRows?: number;
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

/** The HTTP edge: a listener for node:http, and a way around it for plain requests. */
export interface Gateway {
  listener: (request: IncomingMessage, response: ServerResponse) => void;
  /** How plain requests with this head are served, or null when they are for the listener. */
  admit: (head: PlainHead) => ServePlain | null;
  /** Operations being answered now. */
  inFlight(): number;
  /** From now on every answer says `Connection: close`. */
  startDraining(): void;
  /** Loads what the first plain operation does without, so that nobody has to wait for it later. */
  warmUp(): Promise<void>;
  close(): Promise<void>;
}

const ENDPOINT = "/graphql";

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
 * Requests come through one of two doors, node:http's or the plain one, and are the same from then on. JSON by POST takes
 * the short way (parse, execute, write); everything else goes through yoga's HTTP layer. All ways execute with the same
 * hooks and present results with the same functions.
 */
export function createGateway(options: GatewayOptions, dependencies: GatewayDependencies): Gateway {
  const { operationTimeoutMs, maxRestCalls, maxRepresentations } = options;
  const { maxPageSize = 100, maxScannedRows = 1_000 } = options;
  const limits = { maxRepresentations, maxPageSize, maxScannedRows };
  const { schema, authentik, onRequest, routes } = dependencies;
  const engine = createEngine(schema, options);
  const checkCaller = createCallerCheck(options.credentials);
  const overload = createOverloadGuard(options);
  const sharedOperations = createSharedOperations();
  // A mutation must run as often as it was asked for.
  const coalesce = options.coalesce && !schema.getMutationType();
  const { credentials } = options;
  const guard = {
    ...options,
    allowedHosts: options.allowedHosts.map((host) => host.toLowerCase()),
    preflight: options.corsOrigins.length > 0,
    openAccess: credentials.mode === "service" && credentials.gatewayKey === null,
  };
  const page = options.graphiql ? createGraphiqlPage({ ...options, endpoint: ENDPOINT }) : null;
  const recording = { closing: () => draining, onRequest };
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
    const recipient = responseRecipient(response);
    const exchange = createExchange(request, recipient, recording);
    const refusal = unacceptable ?? (path === ENDPOINT ? overload.refuse(inFlight) : NOT_FOUND);
    const mediaType = negotiate(request.headers.accept);
    if (refusal) exchange.refuse(refusal);
    else if (mediaType === null) exchange.refuse(NOT_ACCEPTABLE);
    else {
      const caller = identify(request.headers.authorization);
      const take = (body: string | Refusal | null) => {
        if (body === null) exchange.abandon();
        else if (typeof body === "string")
          answer({ head: request, body, mediaType, caller, exchange, recipient });
        else exchange.refuse(body);
      };
      if (request.method === "POST") void readBody(request, options).then(take);
      else take("");
    }
  }

  /** How requests with this head are served without node:http: those that it would let in, and that are for no one else. */
  function admit(head: PlainHead): ServePlain | null {
    const mediaType = negotiate(head.headers["accept"]);
    const ours = head.url === ENDPOINT && head.contentLength <= options.maxBodyBytes && mediaType !== null;
    if (!ours || engine.needsYoga(head) || guardRequest(head, guard)) return null;
    const caller = identify(head.headers["authorization"]);
    return (body, recipient) => {
      const exchange = createExchange(head, recipient, recording);
      answer({ head, body, mediaType, caller, exchange, recipient });
    };
  }

  function identify(authorization: string | undefined): CallerIdentity | AuthentikError {
    const checked = checkCaller(authorization);
    return checked instanceof AuthentikError ? checked : authentik.identify(checked);
  }

  /** Executes what the body asks for, and answers unless the client leaves. */
  function answer(asked: Asked): void {
    const { exchange, recipient, mediaType } = asked;
    // Only now does it count: bodies that trickle in would otherwise fill all places without asking for anything.
    const refusal = overload.refuse(inFlight);
    if (refusal) {
      exchange.refuse(refusal);
      return;
    }
    inFlight += 1;
    const execution = executionFor(asked);
    const fail = (error: unknown): void => exchange.answer(internalError(error, exchange));
    const leave = execution.join({
      succeed(outcome) {
        inFlight -= 1;
        try {
          exchange.answer(answerOf(execution, outcome, { exchange, mediaType }));
        } catch (error) {
          fail(error);
        }
      },
      fail(error) {
        inFlight -= 1;
        fail(error);
      },
    });
    recipient.onLeave(() => {
      if (!leave()) return;
      inFlight -= 1;
      exchange.abandon();
    });
  }

  /** The execution that answers this: of an identical operation of the same caller in flight, or one of its own. */
  function executionFor(asked: Asked): Execution {
    const { head, body, caller, exchange } = asked;
    const shareable = coalesce && body.length <= MAX_SHARED_LENGTH && !(caller instanceof AuthentikError);
    const key = shareable ? `${caller.key} ${body}` : "";
    const running = shareable ? sharedOperations.find(key) : undefined;
    if (running) {
      exchange.shared = true;
      exchange.operation = running.operation;
      return running;
    }
    const params = engine.needsYoga(head) ? null : parseParams(body);
    const execution = startExecution({
      budgetMs: operationTimeoutMs,
      operation: exchange.operation,
      run(signal) {
        const context = contextOf(asked, signal);
        return params ? engine.execute(params, context) : engine.handle(head, body, context);
      },
      onEnd: (ended) => sharedOperations.remove(key, ended),
    });
    // What yoga's HTTP layer answers is one client's: it has its request id in it.
    if (params && shareable) sharedOperations.add(key, execution);
    return execution;
  }

  function contextOf({ caller, exchange }: Asked, signal: Cancellation): ServerContext {
    const { requestId, operation, codes, onProblem } = exchange;
    const client: AuthentikClient =
      caller instanceof AuthentikError
        ? createRefusingClient(authentik, caller)
        : authentik.forCaller({ identity: caller, requestId, signal, maxRestCalls });
    exchange.usage = client.usage;
    return { authentik: client, requestId, ...limits, operation, codes, onProblem };
  }

  return {
    listener,
    admit,
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

/** A request whose body is there. */
interface Asked {
  head: RequestHead;
  body: string;
  mediaType: AnswerMediaType;
  /** Or why there is nobody to ask authentik for. */
  caller: CallerIdentity | AuthentikError;
  exchange: Exchange;
  recipient: Recipient;
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
