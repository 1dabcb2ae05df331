import type { IncomingMessage } from "node:http";
import type { ApiRequest } from "./api-request.ts";
import { deleteConnection, listConnections, retrieveConnection } from "./connection-rows.ts";
import { type Directory, isSuperuser, type User } from "./directory.ts";
import type { Release } from "./releases.ts";
import { HttpError, httpErrors, jsonResponse, pageResponse, type SandboxResponse } from "./rest-response.ts";
import { listPlexSources, listSources } from "./sources.ts";
import { authenticate } from "./tokens.ts";
import { listUsers, retrieveGroup, retrieveOwnUser, retrieveUser } from "./users.ts";

type Handler = (request: ApiRequest) => SandboxResponse;

interface Route {
  /** Below `/api/v3`; `*` names one object. */
  path: string;
  /** The methods that authentik names in `Allow`, more than the sandbox takes. */
  allow: string;
  /** What it costs an authentik on two quiet cores, medians in milliseconds: once, and for each row of a list. */
  costMs: readonly [once: number, row: number];
  /** Who may ask; everybody who is accepted unless said. */
  permits?: (caller: User) => boolean;
  get: Handler;
  delete?: Handler;
}

const readOnly = "GET, HEAD, OPTIONS";
const list = "GET, POST, HEAD, OPTIONS";
const one = "GET, PUT, PATCH, DELETE, HEAD, OPTIONS";

const mayViewUsers = (caller: User): boolean => caller.viewsAll || isSuperuser(caller);

/** `GET /admin/version/` */
function showVersion({ release: { version, since } }: ApiRequest): SandboxResponse {
  return jsonResponse({
    version_current: version,
    version_latest: version,
    ...(since("2024.6") && { version_latest_valid: true }),
    build_hash: "",
    outdated: false,
    ...(since("2024.8") && { outpost_outdated: false }),
  });
}

/** What the gateway asks of authentik; the first match counts. */
const routes: readonly Route[] = [
  { path: "/sources/user_connections/plex/", allow: list, costMs: [30, 2.6], get: listConnections },
  {
    path: "/sources/user_connections/plex/*/",
    allow: one,
    costMs: [33, 0],
    get: retrieveConnection,
    delete: deleteConnection,
  },
  { path: "/sources/plex/", allow: list, costMs: [37, 2.7], permits: isSuperuser, get: listPlexSources },
  { path: "/sources/all/", allow: readOnly, costMs: [37, 4.3], permits: isSuperuser, get: listSources },
  { path: "/core/users/", allow: list, costMs: [40, 2], permits: mayViewUsers, get: listUsers },
  { path: "/core/users/me/", allow: readOnly, costMs: [41, 0], get: retrieveOwnUser },
  { path: "/core/users/*/", allow: one, costMs: [43, 0], permits: mayViewUsers, get: retrieveUser },
  { path: "/core/groups/*/", allow: one, costMs: [43, 0], permits: isSuperuser, get: retrieveGroup },
  { path: "/admin/version/", allow: readOnly, costMs: [67, 0], get: showVersion },
];

const patterns = routes.map(({ path }) => new RegExp(`^/api/v3${path.replace("*", "([^/.]+)")}$`));

/** The route of a request with the name of one object in its path; null for what the sandbox does not know. */
function findRoute(rawPath: string): { route: Route; key: string } | null {
  const path = decodePath(rawPath);
  const matches = patterns.map((pattern) => pattern.exec(path));
  const position = matches.findIndex((match) => match !== null);
  const route = routes[position];
  return route === undefined ? null : { route, key: matches[position]?.[1] ?? "" };
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

function respond(method: string, route: Route, request: ApiRequest): SandboxResponse {
  if (route.permits?.(request.caller) === false) throw httpErrors.forbidden();
  if (method === "GET") return route.get(request);
  if (method === "DELETE" && route.delete !== undefined) return route.delete(request);
  return jsonResponse({ detail: `Method "${method}" not allowed.` }, { status: 405 });
}

/** What authentik would say to a request, the value of the route's `Allow`, and what it costs authentik. */
export function handleRequest(
  { method = "GET", url = "/", headersDistinct }: Pick<IncomingMessage, "method" | "url" | "headersDistinct">,
  { directory, release }: { directory: Directory; release: Release },
): { response: SandboxResponse; allow: string | null; costMs: number } {
  const [path = "", ...query] = url.split("?");
  const found = findRoute(path);
  if (found === null) return { response: pageResponse(404, "Not Found"), allow: null, costMs: 0 };
  const { route, key } = found;
  const responseTo = (): SandboxResponse => {
    try {
      const caller = authenticate(headersDistinct["authorization"], directory);
      const parameters = new URLSearchParams(query.join("?"));
      return respond(method, route, { caller, key, query: parameters, directory, release });
    } catch (error) {
      if (error instanceof HttpError) return error.response;
      throw error;
    }
  };
  const response = responseTo();
  const [once, row] = route.costMs;
  return { response, allow: route.allow, costMs: once + row * (response.rows ?? 0) };
}
