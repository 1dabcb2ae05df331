import type { AuthentikError, AuthentikErrorKind } from "../authentik-error.ts";
import type { ListRoute } from "./whole-list.ts";

/** A list that keys are picked from where that costs authentik less than to ask for each of them. */
export interface SparingRoutes<T> extends ListRoute<T> {
  /** What a row of the list costs authentik, in rows of connections. Default 1. */
  rowWeight?: number;
  /** Whether who may not list anything may not read it by any key either. Default false. */
  isForbiddenAsWhole?: boolean;
}

const FAILS_EVERY_KEY: ReadonlySet<AuthentikErrorKind> = new Set([
  "unreachable",
  "misconfigured",
  "starting",
  "timeout",
  "cancelled",
  "overloaded",
  "too-many-calls",
  "unauthenticated",
  "service-credentials",
  "rate-limited",
]);

/** Whether what failed so as a list would only fail again, key by key. */
export function failsEveryKey(
  { isForbiddenAsWhole = false }: Pick<SparingRoutes<unknown>, "isForbiddenAsWhole">,
  { kind }: AuthentikError,
): boolean {
  return FAILS_EVERY_KEY.has(kind) || (isForbiddenAsWhole && kind === "forbidden");
}
