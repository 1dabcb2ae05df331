import { AuthentikError } from "./authentik-error.ts";
import { apiPath, type HttpClient, type UpstreamResponse } from "./http.ts";
import { toNetworkError } from "./network-errors.ts";
import { decodeResponse, PAGE_INSTEAD_OF_API } from "./response.ts";

/** What a probe of the API found, in words for an operator; never shown to clients. */
export interface Probe {
  /** Whether authentik is up, which it is when it refuses a token as well. */
  ok: boolean;
  /** Empty when nothing is wrong. What is, and what to check. */
  problem: string;
  /** Whether authentik refused the gateway's own token; null where that is not known, or there is none. */
  refusesToken: boolean | null;
}

/** Cheap for authentik: refused before any query of ours runs, by JSON that only an authentik sends. */
const LIST_ROUTE = "/sources/user_connections/plex/";
/** 200 for every credential that authentik accepts. */
const OWN_USER_ROUTE = "/core/users/me/";
/** What the probe says instead of an operation's id. */
const PROBE_ID = "readiness-probe";

/**
 * Asks for a list without credentials, which every authentik refuses with 403 in JSON; with the gateway's own credential
 * (service mode) for its own user, which every authentik answers with 200. Words what came instead.
 */
export async function probeApi(
  http: HttpClient,
  { timeoutMs, url, authorization }: { timeoutMs: number; url: URL; authorization: string | null },
): Promise<Probe> {
  const signal = AbortSignal.timeout(timeoutMs);
  const route = authorization === null ? LIST_ROUTE : OWN_USER_ROUTE;
  const path = authorization === null ? `${LIST_ROUTE}?page_size=1` : OWN_USER_ROUTE;
  const headers = ["X-Request-Id", PROBE_ID];
  if (authorization !== null) headers.push("Authorization", authorization);
  let problem: string;
  let refusesToken: boolean | null = null;
  try {
    const response = await http.send({ method: "GET", path, headers }, signal);
    const decoded = decodeResponse(response, { route });
    const error = decoded instanceof AuthentikError ? decoded : null;
    if (authorization !== null && (error === null || error.kind === "unauthenticated"))
      refusesToken = error !== null;
    problem = problemOf(response, error, { url, hasCredential: authorization !== null });
  } catch (error) {
    const cause = error instanceof Error ? error : new Error(String(error));
    problem = signal.aborted
      ? `${where(url)} gave no answer within ${timeoutMs} ms: check its address, and what stands in between`
      : `${where(url)}: ${toNetworkError(cause, route).detail ?? cause.name}`;
  }
  return { ok: problem === "" || refusesToken === true, problem, refusesToken };
}

function problemOf(
  response: UpstreamResponse,
  error: AuthentikError | null,
  { url, hasCredential }: { url: URL; hasCredential: boolean },
): string {
  if (error === null) {
    return hasCredential ? "" : `${where(url)} answers a list without credentials: that is no authentik`;
  }
  switch (error.kind) {
    // In the language of its brand an authentik says other words to who shows no credential, and to too many of those this.
    case "forbidden":
    case "rate-limited":
      if (!hasCredential) return "";
      break;
    case "unauthenticated":
      return hasCredential ? `${where(url)} refuses AUTHENTIK_TOKEN: it is invalid or expired` : "";
    case "misconfigured":
      return `${where(url)} answers ${response.status}: ${error.detail}`;
    case "starting":
      return `${where(url)}: authentik is still starting`;
    case "unreachable":
      return `${where(url)} answers ${response.status}: authentik is down behind its router or proxy`;
    case "redirected":
      return `${where(url)} redirects (${response.status}): use the URL it redirects to, or take the login page in front of the API away`;
    case "upstream-failure":
      return `${where(url)} answers ${response.status}: see authentik's own log`;
    case "malformed-response":
      if (!error.detail?.endsWith(PAGE_INSTEAD_OF_API))
        return `${where(url)}: ${error.message} (${error.detail})`;
      return response.status === 404
        ? `${where(url)} has no API at ${apiPath(url)}/: is a path prefix missing or wrong?`
        : `${where(url)} answers${response.status === 200 ? "" : ` ${response.status}`} with a page instead of the API: is this authentik, and is the path prefix right?`;
  }
  return `${where(url)} answers ${response.status} where authentik's API says ${hasCredential ? 200 : 403}: is this authentik, and what stands in front of it?`;
}

function where(url: URL): string {
  return `${url.origin}${url.pathname === "/" ? "" : url.pathname}`;
}
