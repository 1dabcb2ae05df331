import { AuthentikError } from "./errors.ts";

// One scheme, one space, one word of printable ASCII (RFC 9110, 11.4). authentik takes nothing else.
const AUTHORIZATION = /^[A-Za-z][A-Za-z0-9._-]{0,31} [\x21-\x7e]+$/;

/**
 * An `Authorization` value that authentik can judge, or why it cannot.
 *
 * Missing, empty and malformed values are refused here, before anything is sent: real servers answer several of them
 * with a 500 page (recorded: no credentials since 2025.2, a scheme or a token alone, non-ASCII characters).
 */
export function checkAuthorization(value: string | undefined): string | AuthentikError {
  if (value === undefined || value === "") {
    return new AuthentikError("unauthenticated", "the caller sent no credentials");
  }
  if (!AUTHORIZATION.test(value))
    return new AuthentikError("unauthenticated", "the caller's credentials are malformed");
  return value;
}
