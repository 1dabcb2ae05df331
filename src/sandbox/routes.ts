import type { IncomingMessage } from "node:http";
import { deleteConnection, listConnections, retrieveConnection } from "./connection-rows.ts";
import { type Directory, isSuperuser, type Row, type User } from "./directory.ts";
import type { ApiRequest } from "./list.ts";
import type { Release } from "./releases.ts";
import { forbidden, HttpError, type SandboxResponse } from "./rest-response.ts";
import { listPlexSources, listSources } from "./sources.ts";
import { listUsers, retrieveGroup, retrieveOwnUser, retrieveUser } from "./users.ts";

interface Route {
  /** Below `/api/v3`; `:key` there is the group that names one object. */
  path: RegExp;
  /** The methods that authentik names in `Allow`, more than the sandbox takes. */
  allow: string;
  /** What it costs an authentik on two quiet cores, medians in milliseconds: once, and for each row of a list. */
  costMs: readonly [once: number, row: number];
  /** Who may ask; everybody who is accepted unless said. */
  permits?: (caller: User) => boolean;
  get: (request: ApiRequest) => Row;
  delete?: (request: ApiRequest) => void;
}

const readOnly = "GET, HEAD, OPTIONS";
const list = "GET, POST, HEAD, OPTIONS";
const one = "GET, PUT, PATCH, DELETE, HEAD, OPTIONS";

const mayViewUsers = (caller: User): boolean => caller.viewsAll || isSuperuser(caller);

const at = (path: string): RegExp => new RegExp(`^${path.replace(":key", "([^/.]+)")}$`);

/** What the gateway asks of authentik; the first match counts. */
const routes: readonly Route[] = [
  { path: at("/sources/user_connections/plex/"), allow: list, costMs: [30, 2.6], get: listConnections },
  {
    path: at("/sources/user_connections/plex/:key/"),
    allow: one,
    costMs: [33, 0],
    get: retrieveConnection,
    delete: deleteConnection,
  },
  { path: at("/sources/plex/"), allow: list, costMs: [37, 2.7], permits: isSuperuser, get: listPlexSources },
  { path: at("/sources/all/"), allow: readOnly, costMs: [37, 4.3], permits: isSuperuser, get: listSources },
  { path: at("/core/users/"), allow: list, costMs: [40, 2], permits: mayViewUsers, get: listUsers },
  { path: at("/core/users/me/"), allow: readOnly, costMs: [41, 0], get: retrieveOwnUser },
  { path: at("/core/users/:key/"), allow: one, costMs: [43, 0], permits: mayViewUsers, get: retrieveUser },
  { path: at("/core/groups/:key/"), allow: one, costMs: [43, 0], permits: isSuperuser, get: retrieveGroup },
  { path: at("/admin/version/"), allow: readOnly, costMs: [67, 0], get: showVersion },
];

/** `GET /admin/version/` */
function showVersion({ release: { version, since } }: ApiRequest): Row {
  return {
    version_current: version,
    version_latest: version,
    ...(since("2024.6") && { version_latest_valid: true }),
    build_hash: "",
    outdated: false,
    ...(since("2024.8") && { outpost_outdated: false }),
  };
}

/**
 * Who a caller is by the `Authorization` of a request, which is a bearer token or missing. Every user has a
 * `token-of-<username>`; no other token is known.
 * @throws {HttpError} 403 for everybody else
 */
function authenticate(values: readonly string[] | undefined, { users }: Directory): User {
  if (values === undefined) {
    throw new HttpError(403, { detail: "Authentication credentials were not provided." });
  }
  const token = /^bearer (.*)$/i.exec(values[0] ?? "")?.[1];
  for (const user of users.values()) if (user.active && token === `token-of-${user.username}`) return user;
  throw new HttpError(403, { detail: "Token invalid/expired" });
}

/** What authentik would say to a request, the value of the route's `Allow`, and what it costs authentik. */
export function handleRequest(
  { method = "GET", url = "/", headersDistinct }: Pick<IncomingMessage, "method" | "url" | "headersDistinct">,
  { directory, release }: { directory: Directory; release: Release },
): { response: SandboxResponse; allow: string | null; costMs: number } {
  const [whole = "", ...search] = url.split("?");
  const path = whole.startsWith("/api/v3/") ? whole.slice("/api/v3".length) : "";
  const route = routes.find((candidate) => candidate.path.test(path));
  if (route === undefined) {
    return { response: { status: 404, body: { page: "Not Found" } }, allow: null, costMs: 0 };
  }
  const { allow, costMs, permits, get, delete: remove } = route;
  const [once, row] = costMs;
  try {
    const caller = authenticate(headersDistinct["authorization"], directory);
    const key = route.path.exec(path)?.[1] ?? "";
    const request = { caller, key, query: new URLSearchParams(search.join("?")), directory, release };
    if (permits?.(caller) === false) throw forbidden();
    if (method === "DELETE" && remove !== undefined) {
      remove(request);
      return { response: { status: 204, body: null }, allow, costMs: once };
    }
    if (method !== "GET") throw new HttpError(405, { detail: `Method "${method}" not allowed.` });
    const json = get(request);
    const rows = Array.isArray(json["results"]) ? json["results"].length : 0;
    return { response: { status: 200, body: { json } }, allow, costMs: once + row * rows };
  } catch (error) {
    if (error instanceof HttpError) return { response: error.response, allow, costMs: once };
    throw error;
  }
}
