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

const WORDS =
  "abc 0 01 -1 1.5 null 0x5 5_0 +1 1e3 ٥ ５ 2147483648 ../../core/users/1 .. 5/../../../core/users/1 5%2F6 5?superuser=true";

const ODD_TEXTS = ["", " 5", "5 ", "5\n", "9".repeat(5_000)];
const NO_TEXTS = [0, -1, 1.5, 2_147_483_648, 1e300, true, {}, { $ne: null }, [], [5]];

/** No key of a connection, whatever it is. */
export const HOSTILE_KEYS: readonly unknown[] = [...WORDS.split(" "), ...ODD_TEXTS, ...NO_TEXTS];

/** Types that are no entities, and names that objects have by themselves. */
const TYPES = "User Query ThemedUrls _Entity __proto__ constructor toString plexsourceconnection";
const NAMES = [null, 5, [TYPENAME], { toString: TYPENAME }, ...TYPES.split(" ")];
const NAMELESS = [7, -0.5, true, false, [], {}, { pk: 1 }, { id: "1" }, [{ __typename: TYPENAME, pk: 1 }]];

/** Nothing that names an entity of this subgraph. */
const NO_ENTITIES: readonly unknown[] = [
  TYPENAME,
  "",
  ...NAMELESS,
  ...NAMES.map((__typename) => ({ __typename, pk: 1 })),
];

type Kind = (random: Random) => Representation;

/** Not what anybody may send: the whole key is missing, or says two things. */
const NO_KEYS: readonly unknown[] = [
  { __typename: TYPENAME },
  { __typename: TYPENAME, pk: null },
  { __typename: TYPENAME, pk: null, id: null },
  { __typename: TYPENAME, PK: 1 },
  { __typename: TYPENAME, pk: 1, id: "2" },
  { __typename: "Source" },
  { __typename: "Source", pk: 1 },
  { __typename: "Source", pk: "plex" },
  { __typename: "Source", pk: "../plex" },
];

const bad = (sent: unknown): Representation => ({ sent, expected: { code: "BAD_USER_INPUT" } });

/** What a random list is made of, and how often. */
const KINDS: readonly [times: number, kind: Kind][] = [
  [5, (random) => existing(1 + random.below(EXISTING), random.below(3))],
  [2, (random) => refused(900 + random.below(50))],
  [2, (random) => refused(61 + random.below(5))],
  [2, (random) => bad({ __typename: TYPENAME, [random.pick(["pk", "id"])]: random.pick(HOSTILE_KEYS) })],
  [2, (random) => bad(random.pick(NO_ENTITIES))],
  [1, (random) => bad(random.pick(NO_KEYS))],
];
const BAG = KINDS.flatMap(([times, kind]) => Array<Kind>(times).fill(kind));

/** A list of representations, the same for the same source of randomness. */
export function randomRepresentations(random: Random): Representation[] {
  return Array.from({ length: 1 + random.below(30) }, () => random.pick(BAG)(random));
}

function existing(pk: number, spelling: number): Representation {
  const keys = [{ pk }, { id: String(pk) }, { pk, id: String(pk) }][spelling];
  return {
    sent: { __typename: TYPENAME, ...keys, added: "by a router" },
    expected: { entity: { __typename: TYPENAME, pk, identifier: String(70_000_000 + pk) } },
    retrieves: pk,
  };
}

/** Of authentik's refusals, or none there. */
function refused(pk: number): Representation {
  const refusal = REFUSED[pk];
  const expected = refusal ? { code: refusal.code } : { entity: null };
  return { sent: { __typename: TYPENAME, pk }, expected, retrieves: pk };
}
