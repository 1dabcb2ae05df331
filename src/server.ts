import type { IncomingMessage, ServerResponse } from "node:http";
import type { GraphQLSchema } from "graphql";
import type { Authentik, Usage } from "./authentik/client.ts";
import type { DocumentLimits } from "./graphql/document-limits.ts";

/** Whose credential authentik sees. */
export type Credentials =
  /** The caller's own `Authorization`, unchanged. */
  | { mode: "caller" }
  /** The gateway's token; callers show `gatewayKey`, or nothing where open access was asked for (`null`). */
  | { mode: "service"; authentikToken: string; gatewayKey: string | null };

/** What the GraphQL endpoint allows. Durations in milliseconds, sizes in bytes. */
export interface GatewayOptions {
  credentials: Credentials;
  /** One budget for an operation: parsing to last byte of the last REST call. */
  operationTimeoutMs: number;
  maxBodyBytes: number;
  /** Header lines of one request; more are refused with 431. */
  maxHeaderCount: number;
  /** REST calls that one operation may cause. */
  maxRestCalls: number;
  /** Federation representations in all `_entities` fields of one operation. */
  maxRepresentations: number;
  documentLimits: DocumentLimits;
  /** Estimated bytes of heap for documents that are kept parsed, validated and compiled. */
  documentCacheBytes: number;
  /** Whether `__schema` and `__type` answer. `_service` always does. */
  introspection: boolean;
  graphiql: boolean;
  /** Origins that may read answers in a browser; empty: none. `["*"]`: any. */
  corsOrigins: readonly string[];
  /** Host names (without port) that are answered; empty: any well-formed one. */
  allowedHosts: readonly string[];
  /** Operations in one JSON array; 0: arrays are refused. */
  batchLimit: number;
  /** Whether identical operations of one caller in flight at once share one execution. */
  coalesce: boolean;
  /** In-flight operations from which new ones get 503 with Retry-After. */
  maxOperationsInFlight: number;
  /** Shown in GraphiQL and readiness when the embedded sandbox answers instead of an authentik. */
  sandboxToken: string | null;
}

/** One finished request to `/graphql`: what the log line and the metrics are made of. No secrets by construction. */
export interface RequestRecord {
  requestId: string;
  method: string;
  status: number;
  durationMs: number;
  /** From the document; absent for anonymous operations and for requests that never became one. */
  operationName?: string;
  operationType?: "query" | "mutation" | "subscription";
  /** Codes of the errors in the answer, each once, sorted. */
  codes: readonly string[];
  /** Whether the answer came from an identical operation already in flight. */
  shared: boolean;
  /** `client-left` when nobody waited for the answer. */
  outcome: "answered" | "client-left";
  usage: Usage | null;
  /** Errors worth an operator's attention, in log form: kind, status, route, detail, stack of the unexpected ones. */
  problems: readonly Record<string, unknown>[];
}

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
  close(): Promise<void>;
}
