// Representations as a router, a broken router or an attacker sends them, and what each must become.

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
};

const TYPENAME = "PlexSourceConnection";

const WORDS =
  "abc 0 01 -1 1.5 null 0x5 5_0 +1 1e3 ٥ ５ 2147483648 ../../core/users/1 .. 5/../../../core/users/1 5%2F6 5?superuser=true";

const ODD_TEXTS = ["", " 5", "5 ", "5\n", "9".repeat(5_000)];
const NO_TEXTS = [0, -1, 1.5, 2_147_483_648, 1e300, true, {}, { $ne: null }, [], [5]];

/** No key of a connection, whatever it is. */
const HOSTILE_KEYS: readonly unknown[] = [...WORDS.split(" "), ...ODD_TEXTS, ...NO_TEXTS];

/** Types that are no entities, and names that objects have by themselves. */
const TYPES = "User Query ThemedUrls _Entity __proto__ constructor toString plexsourceconnection";
const NAMES = [null, 5, [TYPENAME], { toString: TYPENAME }, ...TYPES.split(" ")];

/** Nothing that names an entity of this subgraph, has no key, or one that says two things. */
const NO_ENTITIES: readonly unknown[] = [
  TYPENAME,
  7,
  [],
  {},
  { pk: 1 },
  [{ __typename: TYPENAME, pk: 1 }],
  ...NAMES.map((__typename) => ({ __typename, pk: 1 })),
  ...[{}, { pk: null }, { PK: 1 }, { pk: 1, id: "2" }].map((key) => ({ __typename: TYPENAME, ...key })),
  ...[{}, { pk: 1 }, { pk: "plex" }, { pk: "../plex" }].map((key) => ({ __typename: "Source", ...key })),
];

/** What is sent, and what the caller must read at its place. */
export interface Representation {
  readonly sent: unknown;
  readonly entity: Readonly<Record<string, unknown>> | null;
  readonly code?: string;
}

/** What nobody has to be asked for. */
export const BAD: readonly Representation[] = [
  ...HOSTILE_KEYS.flatMap((key) => ["pk", "id"].map((name) => ({ __typename: TYPENAME, [name]: key }))),
  ...NO_ENTITIES,
].map((sent) => ({ sent, entity: null, code: "BAD_USER_INPUT" }));

/** Connections that exist, each in one of three spellings. */
export function existing(pk: number): Representation {
  const key = [{ pk }, { id: String(pk) }, { pk, id: String(pk) }][pk % 3];
  return {
    sent: { __typename: TYPENAME, ...key, added: "by a router" },
    entity: { __typename: TYPENAME, pk, identifier: String(70_000_000 + pk) },
  };
}

/** What authentik refuses, or does not have. */
export function missing(pk: number): Representation {
  const code = REFUSED[pk]?.code;
  return { sent: { __typename: TYPENAME, pk }, entity: null, ...(code !== undefined && { code }) };
}
