import { LRUCache } from "lru-cache";
import { REMEMBERED_CALLERS } from "./caller.ts";
import type { Authentik, AuthentikClient } from "./client.ts";

/**
 * One value for each caller's operation, made when it is first asked for and collected with the operation.
 * For loaders: what one caller loaded can never be seen by another.
 * What else `create` takes must be the same throughout an operation, such as a limit: the first call decides.
 */
export function perRequest<T, Rest extends readonly unknown[]>(
  create: (client: AuthentikClient, ...rest: Rest) => T,
): (client: AuthentikClient, ...rest: Rest) => T {
  return (client, ...rest) => {
    const { memory } = client;
    if (!memory.has(create)) memory.set(create, create(client, ...rest));
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- nobody else has this key
    return memory.get(create) as T;
  };
}

/**
 * One value for each authentik server, shared by all operations.
 * For knowledge that outlives an operation; what differs between callers must be keyed by `client.callerKey`.
 */
export function perUpstream<T>(create: () => T): (client: AuthentikClient) => T {
  const values = new WeakMap<Authentik, { value: T }>();
  return ({ upstream }) => {
    let entry = values.get(upstream);
    if (!entry) values.set(upstream, (entry = { value: create() }));
    return entry.value;
  };
}

const REMEMBERED_MS = 5 * 60_000;

/** What is known of each caller of an authentik, for some minutes. */
export function perCaller<T extends object | number>() {
  const cacheOf = perUpstream(() => new LRUCache<string, T>({ max: REMEMBERED_CALLERS, ttl: REMEMBERED_MS }));
  return {
    get: (client: AuthentikClient) => cacheOf(client).get(client.callerKey),
    set: (client: AuthentikClient, value: T) => void cacheOf(client).set(client.callerKey, value),
  };
}
