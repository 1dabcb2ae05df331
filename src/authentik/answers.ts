import { AuthentikError, type AuthentikErrorKind, type AuthentikErrorOptions } from "./errors.ts";
import { readFieldErrors } from "./field-errors.ts";
import { retryAfterSeconds } from "./retry-after.ts";
import type { Answer } from "./exchange.ts";

/**
 * The texts authentik has for missing, wrong, unsupported and malformed credentials, all with status 403.
 * No release translates them; every other 403 is about permissions.
 */
const CREDENTIAL_TEXTS: ReadonlySet<unknown> = new Set([
  "Authentication credentials were not provided.",
  "Token invalid/expired",
  "Unsupported authentication type",
  "Malformed header",
]);

/** authentik's own request ids; a proxy may put anything into that header, and a log is no place for it. */
const REQUEST_ID = /^[0-9a-f-]{32,36}$/i;

const PAGE_INSTEAD_OF_API =
  "the answer is not from authentik's API: check the URL and path prefix of authentik, and what stands in front of it";

/**
 * The JSON of a usable answer: status 200, JSON by content type and by content, and not authentik's "starting".
 * For everything else the error, by the one table between HTTP and kinds. Never throws.
 */
export function readAnswer(answer: Answer, route: string): { readonly value: unknown } | AuthentikError {
  if (answer.status !== 200) return refusal(answer, route);
  if (!isJson(answer.contentType)) {
    return failure(
      "malformed-response",
      "authentik answered 200 with something else than JSON",
      answer,
      route,
      {
        detail: `${describe(answer)}; ${PAGE_INSTEAD_OF_API}`,
      },
    );
  }
  const value = parse(answer.body);
  if (value === undefined) {
    return failure("malformed-response", "authentik answered 200 with broken JSON", answer, route, {
      detail: describe(answer),
    });
  }
  if (isRouterError(value)) {
    // Go routers of 2025.10 and later forget to set the status while the application starts.
    return failure(
      saysStarting(answer.body) ? "starting" : "unreachable",
      "authentik answered 200 with an error of its router",
      answer,
      route,
    );
  }
  return { value };
}

function refusal(answer: Answer, route: string): AuthentikError {
  const { status } = answer;
  const body = isJson(answer.contentType) ? parse(answer.body) : undefined;
  const said = `authentik answered ${status}`;
  const page = body === undefined ? { detail: `${describe(answer)}; ${PAGE_INSTEAD_OF_API}` } : {};

  if (status >= 300 && status < 400) {
    return failure("redirected", `${said}, which is never followed`, answer, route, {
      detail:
        "usually a login page or a change of host or scheme: the URL must be the one authentik itself answers at",
    });
  }
  switch (status) {
    case 400:
      return failure("invalid-input", said, answer, route, { fieldErrors: readFieldErrors(body), ...page });
    case 401:
      return failure("unauthenticated", said, answer, route);
    case 403:
      return failure(
        CREDENTIAL_TEXTS.has(detailOf(body)) ? "unauthenticated" : "forbidden",
        said,
        answer,
        route,
        page,
      );
    case 404:
      return typeof detailOf(body) === "string"
        ? failure("not-found", said, answer, route)
        : failure("malformed-response", `${said}, but not as its API does`, answer, route, {
            detail: `${describe(answer)}; ${PAGE_INSTEAD_OF_API}`,
          });
    case 429:
      return failure("rate-limited", said, answer, route);
    case 502:
    case 503:
    case 504:
      return failure(saysStarting(answer.body) ? "starting" : "unreachable", said, answer, route);
  }
  if (status >= 400 && status < 500) return failure("rejected", said, answer, route, page);
  if (status >= 500) return failure("upstream-failure", said, answer, route, { detail: describe(answer) });
  return failure("malformed-response", `${said} to a GET`, answer, route, { detail: describe(answer) });
}

function failure(
  kind: AuthentikErrorKind,
  message: string,
  answer: Answer,
  route: string,
  options: AuthentikErrorOptions = {},
): AuthentikError {
  const seconds = retryAfterSeconds(answer.retryAfter);
  return new AuthentikError(kind, message, {
    status: answer.status,
    route,
    ...(seconds === undefined ? {} : { retryAfterSeconds: seconds }),
    ...(REQUEST_ID.test(answer.upstreamRequestId) ? { upstreamRequestId: answer.upstreamRequestId } : {}),
    ...options,
  });
}

/** `application/json`, with or without parameters. */
function isJson(contentType: string): boolean {
  return contentType === "application/json" || /^application\/json\s*(;|$)/i.test(contentType);
}

function parse(text: string): unknown {
  try {
    // `unknown` on purpose: the wire decides what it is.
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function detailOf(body: unknown): unknown {
  return typeof body === "object" && body !== null && "detail" in body ? body.detail : undefined;
}

function isRouterError(value: unknown): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    "error" in value &&
    !("pk" in value) &&
    !("results" in value)
  );
}

/** authentik's routers say so in text or JSON, whatever the content type claims. */
function saysStarting(body: string): boolean {
  return body.length < 1_000 && body.includes("authentik starting");
}

/** Facts about an answer that are safe to log: nothing of what it says. */
function describe(answer: Answer): string {
  const type = /^[\w.+-]+\/[\w.+-]+/.exec(answer.contentType)?.[0] ?? "no content type";
  return `${type}, ${answer.bytes} bytes`;
}
