import { baseUrl } from "./base-url.ts";
import { autoOrInteger, integer, onOff, oneOf, text } from "./kinds.ts";

const path = { expected: "the path of a readable file", pattern: /^[^\0]+$/ };
const secret = { secret: true, pattern: /^[\x21-\x7e]+$/ } as const;

/** Which authentik is asked, whose credentials are shown to it, and how much work it gets. */
export const authentikOptions = {
  AUTHENTIK_URL: baseUrl({
    section: "authentik",
    fallbackInWords: "the sandbox",
    description:
      "Where authentik is, with its path prefix if it has one. Without it the embedded sandbox answers " +
      "(refused with `NODE_ENV=production`).",
  }),
  AUTHENTIK_CA_FILE: text({
    ...path,
    section: "authentik",
    fallbackInWords: "Node's own",
    description: "PEM file of certificate authorities to trust besides Node's own.",
  }),
  AUTHENTIK_CONNECT_TIMEOUT_MS: integer({
    section: "authentik",
    fallback: 3000,
    min: 1,
    max: 600_000,
    unit: "ms",
    description: "Time to connect to authentik, TLS included.",
  }),
  AUTHENTIK_CONCURRENCY: autoOrInteger({
    section: "authentik",
    fallback: "auto",
    min: 1,
    max: 1024,
    description:
      "Calls to authentik in flight at once, for each worker; `auto` finds the number between 2 and 256 where more stop helping.",
  }),
  AUTHENTIK_QUEUE_MAX: integer({
    section: "authentik",
    fallback: 10_000,
    min: 0,
    max: 1_000_000,
    description: "Calls that may wait for their turn, for each worker; further ones are refused at once.",
  }),
  AUTHENTIK_RETRY: onOff({
    section: "authentik",
    fallback: true,
    description:
      "Whether a read is sent once more after a reset connection, 502, 503, 504 or while authentik starts.",
  }),
  AUTHENTIK_MAX_RESPONSE_BYTES: integer({
    section: "authentik",
    fallback: 5_242_880,
    min: 1024,
    max: 1_073_741_824,
    unit: "bytes",
    description: "Largest answer that is accepted from authentik.",
  }),
  LIST_STRATEGY: oneOf(["auto", "off"], {
    section: "authentik",
    fallback: "auto",
    description:
      "`auto`: many connections are picked from the list where that costs authentik less; `off`: never.",
  }),
  COALESCE: onOff({
    section: "authentik",
    fallback: true,
    description: "Whether identical reads of one caller in flight at once share one call.",
  }),
  CACHE_TTL_MS: integer({
    section: "authentik",
    fallback: 0,
    min: 0,
    max: 3_600_000,
    unit: "ms",
    description: "How long an answer may be reused for the same caller; 0: never.",
  }),
  CACHE_MAX_BYTES: integer({
    section: "authentik",
    fallback: 16_777_216,
    min: 1024,
    max: 1_073_741_824,
    unit: "bytes",
    description: "Size of that cache, for each worker.",
  }),
  AUTHENTIK_TOKEN: text({
    ...secret,
    section: "Credentials",
    fallbackInWords: "callers show their own",
    expected: "the key of an authentik API token: visible ASCII characters, without `Bearer`",
    description:
      "Service mode: authentik is asked with this API token instead of the caller's own credentials.",
  }),
  AUTHENTIK_TOKEN_FILE: text({
    ...path,
    section: "Credentials",
    description: "File that holds `AUTHENTIK_TOKEN`.",
  }),
  GATEWAY_KEY: text({
    ...secret,
    section: "Credentials",
    pattern: /^[\x21-\x7e]{16,}$/,
    expected: "at least 16 visible ASCII characters",
    description: "The bearer key that callers must show in service mode.",
  }),
  GATEWAY_KEY_FILE: text({
    ...path,
    section: "Credentials",
    description: "File that holds `GATEWAY_KEY`.",
  }),
  OPEN_ACCESS: onOff({
    section: "Credentials",
    fallback: false,
    description:
      "Service mode without a key: whoever reaches the gateway sees what the token sees. Warns at every start.",
  }),
};
