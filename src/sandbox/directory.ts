/** An object as the API writes it, keys in its order. */
export type Row = Readonly<Record<string, unknown>>;

/** A user of the seeded directory. */
export interface User {
  pk: number;
  username: string;
  name: string;
  email: string;
  type: "internal" | "service_account";
  groups: readonly Group[];
  active: boolean;
  /** Holds the global permissions to view every Plex connection and every user. */
  viewsAll: boolean;
  joined: string;
  lastLogin: string | null;
}

/** A group of the seeded directory. */
export interface Group {
  pk: string;
  name: string;
  superuser: boolean;
}

/** A source of the seeded directory. */
export interface Source {
  pk: string;
  slug: string;
  name: string;
  /** `base` is the built-in source, which is of no kind. */
  kind: "plex" | "ldap" | "base";
  /** An uploaded file by its stored name, or the URL that somebody typed. */
  icon: string | null;
  /** What was set otherwise than usual, as the API names it. */
  settings: Row;
}

/** A Plex connection of the seeded directory: one user's account at one source. */
export interface Connection {
  pk: number;
  user: User;
  source: Source;
  identifier: string;
  created: string;
  lastUpdated: string;
}

/** Everything that a sandbox knows. Connections can be removed, the rest stays. */
export interface Directory {
  groups: readonly Group[];
  users: ReadonlyMap<number, User>;
  /** In the order in which the rows were last written, which is how an unordered query returns them. */
  sources: readonly Source[];
  connections: Map<number, Connection>;
}

/** Keys of the sandbox differ only in their end. */
export const uuid = (end: string): string => `5eed0000-0000-4000-8000-${end.padStart(12, "0")}`;
const dayMs = 86_400_000;

const administrators: Group = { pk: uuid("21"), name: "administrators", superuser: true };
const family: Group = { pk: uuid("22"), name: "family", superuser: false };

/** A time as authentik writes it, with six digits of a fraction; without one where there are no microseconds. */
function timestamp(ms: number, fraction: string): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, `${fraction}Z`);
}

/** A user as most are. */
export function createUser(pk: number, username: string, overrides: Partial<User> = {}): User {
  return {
    pk,
    username,
    name: username.charAt(0).toUpperCase() + username.slice(1),
    email: `${username}@home.example`,
    type: "internal",
    groups: [],
    active: true,
    viewsAll: false,
    joined: timestamp(Date.UTC(2024, 8, 1, 7, 15, pk % 60), ".104982"),
    // Every third was never there.
    lastLogin: pk % 3 === 2 ? null : timestamp(Date.UTC(2025, 10, 1, 18, 4) + pk * 61_000, ".204816"),
    ...overrides,
  };
}

const people: readonly User[] = [
  createUser(41, "administrator", { groups: [administrators] }),
  createUser(42, "alice", { groups: [family] }),
  createUser(43, "bob", { groups: [family] }),
  createUser(44, "carol", { groups: [family] }),
  createUser(45, "dave"),
  createUser(46, "eve", { active: false }),
  createUser(50, "service", { groups: [administrators], type: "service_account" }),
  createUser(51, "operator", { viewsAll: true }),
  createUser(52, "auditor"),
  createUser(53, "stranger"),
];

function createSource(end: string, slug: string, name: string, overrides: Partial<Source> = {}): Source {
  return { pk: uuid(end), slug, name, kind: "plex", icon: null, settings: {}, ...overrides };
}

const complete: Row = {
  authentication_flow: uuid("1"),
  enrollment_flow: uuid("2"),
  user_property_mappings: [uuid("14")],
  group_property_mappings: [uuid("15")],
};

const sources: readonly Source[] = [
  createSource("a", "plex", "Plex", { settings: complete }),
  createSource("c", "studio", "Studio", {
    icon: "https://cdn.example/studio.svg",
    settings: { user_matching_mode: "username_deny", user_path_template: "studio/%(slug)s/guests" },
  }),
  createSource("d", "neighbourhood", "Neighbourhood", { settings: complete }),
  createSource("b", "cinema", "Cinéma du coin 🎬", {
    icon: "source-icons/cinema.png",
    settings: {
      enabled: false,
      authentication_flow: uuid("1"),
      policy_engine_mode: "all",
      user_matching_mode: "email_link",
    },
  }),
  createSource("e", "ldap", "LDAP", { kind: "ldap" }),
  createSource("f", "authentik-built-in", "authentik Built-in", {
    kind: "base",
    settings: { managed: "goauthentik.io/sources/inbuilt" },
  }),
];

/** Superusers may see and do everything; a group makes them that. */
export function isSuperuser({ groups }: User): boolean {
  return groups.some(({ superuser }) => superuser);
}

/** Puts one connection into a directory. Its times are `position` days and seconds after those of the first one. */
export function addConnection(
  { users, sources, connections }: Directory,
  [pk, userPk, slug, identifier]: readonly [pk: number, userPk: number, slug: string, identifier: string],
  { position, fraction = ".104" }: { position: number; fraction?: "" | ".104" },
): void {
  const user = users.get(userPk);
  const source = sources.find((candidate) => candidate.slug === slug);
  if (user === undefined || source === undefined) throw new Error(`Nobody or nothing to connect for ${pk}.`);
  const ms = Date.UTC(2024, 8, 12, 8, 31, 22) + position * (dayMs + 1000);
  const created = timestamp(ms, fraction && `${fraction}982`);
  const lastUpdated = timestamp(ms + dayMs, fraction && `${fraction}989`);
  connections.set(pk, { pk, user, source, identifier, created, lastUpdated });
}

/** A new directory as every sandbox starts with it: the one that the recorded servers held. */
export function createDirectory(): Directory {
  const viewers = Array.from({ length: 250 }, (_, index) =>
    createUser(1001 + index, `viewer${String(index + 1).padStart(3, "0")}`, { name: `Viewer ${index + 1}` }),
  );
  const users = new Map([...people, ...viewers].map((user) => [user.pk, user]));
  const directory = { groups: [administrators, family], users, sources, connections: new Map() };
  addConnection(directory, [5, 42, "plex", "12345678"], { position: 0 });
  addConnection(directory, [6, 43, "plex", "87654321"], { position: 1 });
  addConnection(directory, [7, 42, "cinema", "12345678"], { position: 2 });
  addConnection(directory, [8, 44, "studio", "424242"], { position: 3, fraction: "" });
  const odd = ' odd "identifier" / ünïcode 🎬 \\ \u2028 ';
  addConnection(directory, [9, 45, "plex", odd], { position: 4 });
  for (const [index, { pk }] of viewers.entries()) {
    // One viewer claims the account of Bob.
    const identifier = pk === 1124 ? "87654321" : String(70_000_001 + index);
    addConnection(directory, [pk, pk, "neighbourhood", identifier], { position: 11 + index });
  }
  return directory;
}
