import type { Authentik, AuthentikClient } from "./client.ts";

/**
 * One value for each caller's operation, made when it is first asked for and collected with the operation.
 * For loaders: what one caller loaded can never be seen by another.
 * What else `create` takes must be the same throughout an operation, such as a limit: the first call decides.
 * The client keeps it: a WeakMap would cost the garbage collector more than all that is in it.
 */
export function perRequest<T, Rest extends readonly unknown[]>(
  create: (client: AuthentikClient, ...rest: Rest) => T,
): (client: AuthentikClient, ...rest: Rest) => T {
  const key = Symbol(create.name);
  return (client, ...rest) => {
    const { values } = client;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only this function knows the key: what `create` made is there
    if (key in values) return values[key] as T;
    return (values[key] = create(client, ...rest));
  };
}

/**
 * One value for each authentik server, shared by all operations.
 * For knowledge that outlives an operation; what differs between callers must be keyed by `client.callerKey`.
 */
export function perUpstream<T>(create: () => T): (client: AuthentikClient) => T {
  const values = new WeakMap<Authentik, T>();
  return (client) => {
    const existing = values.get(client.upstream);
    if (existing !== undefined) return existing;
    const value = create();
    values.set(client.upstream, value);
    return value;
  };
}
