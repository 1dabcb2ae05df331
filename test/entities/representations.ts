import type { Random } from "../support/random.ts";

// Representations as a router, a broken router or an attacker sends them, and what each must become.

/** What the caller must read at the place of a representation. */
export type Expected =
  { readonly entity: Readonly<Record<string, unknown>> | null } | { readonly code: string };

export interface Representation {
  readonly sent: unknown;
  readonly expected: Expected;
  /** REST route that it needs, if any. */
  readonly retrieves?: number;
}

/** Keys whose retrieval authentik refuses, and the code that a client sees for it. */
export const REFUSED: Readonly<Record<number, { status: number; body: unknown; code: string }>> = {
  61: {
    status: 403,
    body: { detail: "You do not have permission to perform this action." },
    code: "FORBIDDEN",
  },
  62: { status: 500, body: { detail: "Server error." }, code: "UPSTREAM_ERROR" },
  63: { status: 200, body: { hello: 1 }, code: "UPSTREAM_INVALID_RESPONSE" },
  64: { status: 429, body: { detail: "Request was throttled." }, code: "RATE_LIMITED" },
  65: { status: 409, body: { detail: "Conflict." }, code: "UPSTREAM_REJECTED" },
};

/** Connections 1 to 40 exist. */
const EXISTING = 40;

const TYPENAME = "PlexSourceConnection";

/** No key of a connection, whatever it is. */
export const HOSTILE_KEYS: readonly unknown[] = [
  "abc",
  "0",
  "01",
  "-1",
  "1.5",
  "null",
  "0x5",
  "5_0",
  "+1",
  " 5",
  "5 ",
  "5\n",
  "1e3",
  "٥",
  "５",
  "2147483648",
  "9".repeat(5_000),
  "../../core/users/1",
  "..",
  "5/../../../core/users/1",
  "5%2F6",
  "5?superuser=true",
  "",
  0,
  -1,
  1.5,
  2_147_483_648,
  1e300,
  true,
  {},
  { $ne: null },
  [],
  [5],
];

/** Nothing that names an entity of this subgraph. */
const NO_ENTITIES: readonly unknown[] = [
  "PlexSourceConnection",
  "",
  7,
  -0.5,
  true,
  false,
  [],
  [{ __typename: TYPENAME, pk: 1 }],
  {},
  { pk: 1 },
  { id: "1" },
  { __typename: null, pk: 1 },
  { __typename: 5, pk: 1 },
  { __typename: [TYPENAME], pk: 1 },
  { __typename: { toString: TYPENAME }, pk: 1 },
  { __typename: "User", pk: 1 },
  { __typename: "Query" },
  { __typename: "ThemedUrls" },
  { __typename: "_Entity", pk: 1 },
  { __typename: "__proto__", pk: 1 },
  { __typename: "constructor", pk: 1 },
  { __typename: "toString", pk: 1 },
  { __typename: "plexsourceconnection", pk: 1 },
];

type Kind = (random: Random) => Representation;

/** What a random list is made of, by how likely it is. */
const KINDS: readonly Kind[] = [
  ...repeated<Kind>(5, (random) => existing(1 + random.below(EXISTING), random.below(3))),
  ...repeated<Kind>(2, (random) => missing(900 + random.below(50))),
  ...repeated<Kind>(2, (random) => refused(61 + random.below(5))),
  ...repeated<Kind>(2, (random) => ({
    sent: { __typename: TYPENAME, [random.pick(["pk", "id"])]: random.pick(HOSTILE_KEYS) },
    expected: { code: "BAD_USER_INPUT" },
  })),
  ...repeated<Kind>(2, (random) => ({
    sent: random.pick(NO_ENTITIES),
    expected: { code: "BAD_USER_INPUT" },
  })),
  (random) => ({
    sent: random.pick([
      { __typename: TYPENAME },
      { __typename: TYPENAME, pk: null },
      { __typename: TYPENAME, pk: null, id: null },
      { __typename: TYPENAME, PK: 1 },
      { __typename: TYPENAME, pk: 1, id: "2" },
      { __typename: "Source" },
      { __typename: "Source", pk: 1 },
      { __typename: "Source", pk: "plex" },
      { __typename: "Source", pk: "../plex" },
    ]),
    expected: { code: "BAD_USER_INPUT" },
  }),
];

/** A list of representations, the same for the same source of randomness. */
export function randomRepresentations(random: Random): Representation[] {
  return Array.from({ length: 1 + random.below(30) }, () => random.pick(KINDS)(random));
}

function existing(pk: number, spelling: number): Representation {
  const keys = [{ pk }, { id: String(pk) }, { pk, id: String(pk) }][spelling];
  return {
    sent: { __typename: TYPENAME, ...keys, added: "by a router" },
    expected: { entity: { __typename: TYPENAME, pk, identifier: String(70_000_000 + pk) } },
    retrieves: pk,
  };
}

function missing(pk: number): Representation {
  return { sent: { __typename: TYPENAME, pk }, expected: { entity: null }, retrieves: pk };
}

function refused(pk: number): Representation {
  return {
    sent: { __typename: TYPENAME, pk },
    expected: { code: REFUSED[pk]?.code ?? "" },
    retrieves: pk,
  };
}

function repeated<T>(count: number, item: T): T[] {
  return Array.from({ length: count }, () => item);
}
