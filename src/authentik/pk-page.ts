import { AuthentikError } from "./errors.ts";
import { type Page, decodePage } from "./page.ts";
import { decodeObject, decodePk } from "./decoders.ts";

/** A page of a list ordered by an integer primary key, as lookups need it. */
export interface PkPage<T> extends Omit<Page, "rows"> {
  readonly pks: readonly number[];
  /** Whether the keys ascend. */
  readonly ordered: boolean;
  /** What the row of this key holds, or what is wrong with it; undefined where there is no such row. */
  outcomeOf(pk: number): T | AuthentikError | undefined;
}

/**
 * Reads pages. Operations of one caller that share an answer also share what is read of it: each row is read once, when the
 * first of them wants it, and forgotten with the answer.
 * @param read a row. @throws {AuthentikError} malformed-response
 * @returns a function that throws an AuthentikError, malformed-response, for what is no page
 */
export function createPageReader<T>(read: (row: unknown, path: string) => T): (body: unknown) => PkPage<T> {
  const known = new WeakMap<object, PkPage<T>>();
  return (body) => {
    if (typeof body !== "object" || body === null) return toPkPage(decodePage(body), read);
    let page = known.get(body);
    if (!page) known.set(body, (page = toPkPage(decodePage(body), read)));
    return page;
  };
}

function toPkPage<T>({ rows, ...page }: Page, read: (row: unknown, path: string) => T): PkPage<T> {
  const pks = rows.map((row, index) => {
    const path = `$.results[${index}]`;
    return decodePk(decodeObject(row, path), "pk", path);
  });
  const places = new Map<number, number>();
  for (const [place, pk] of pks.entries()) if (!places.has(pk)) places.set(pk, place);
  const outcomes = new Map<number, T | AuthentikError>();
  return {
    ...page,
    pks,
    ordered: pks.every((pk, index) => index === 0 || pk > (pks[index - 1] ?? 0)),
    outcomeOf(pk) {
      const place = places.get(pk);
      if (place === undefined) return undefined;
      let outcome = outcomes.get(pk);
      if (outcome === undefined)
        outcomes.set(pk, (outcome = readOutcome(read, rows[place], `$.results[${place}]`)));
      return outcome;
    },
  };
}

/** What `read` makes of a body, or the AuthentikError that it throws. */
export function readOutcome<T>(
  read: (body: unknown, path: string) => T,
  body: unknown,
  path: string,
): T | AuthentikError {
  try {
    return read(body, path);
  } catch (error) {
    if (error instanceof AuthentikError) return error;
    throw error;
  }
}
