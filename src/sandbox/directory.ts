/** A user of the seeded directory. */
export interface User {
  pk: number;
  username: string;
  superuser: boolean;
  active: boolean;
  /** Holds the global permission to view every Plex connection. */
  viewsAllConnections: boolean;
}

/** A source of the seeded directory. */
export interface Source {
  pk: string;
  /** `base` is the built-in source, which is of no kind. */
  kind: "plex" | "ldap" | "base";
  name: string;
  slug: string;
  enabled: boolean;
  authenticationFlow: string | null;
  enrollmentFlow: string | null;
  userPropertyMappings: readonly string[];
  groupPropertyMappings: readonly string[];
  policyEngineMode: "all" | "any";
  userMatchingMode: string;
  userPathTemplate: string;
  managed: string | null;
  /** An uploaded file by its stored name, or the URL that somebody typed. */
  icon: { file: string } | { url: string } | null;
}

/** A Plex connection of the seeded directory: one user's account at one source. */
export interface Connection {
  pk: number;
  user: User;
  source: Source;
  identifier: string;
  plexToken: string;
  created: string;
  lastUpdated: string;
}

/** Everything that the sandbox knows; never changed after it was made. */
export interface Directory {
  users: ReadonlyMap<number, User>;
  /** In the order in which the rows were last written, which is how an unordered query returns them. */
  sources: readonly Source[];
  connections: ReadonlyMap<number, Connection>;
}

const uuid = (end: string): string => `5eed0000-0000-4000-8000-${end.padStart(12, "0")}`;
const authenticationFlow = uuid("1");
const enrollmentFlow = uuid("2");

/** Property mappings of Plex sources, as `used_by/` names them. */
export const PLEX_MAPPINGS = {
  user: { pk: uuid("14"), name: "Plex user mapping" },
  group: { pk: uuid("15"), name: "Plex group mapping" },
} as const;

/** The group that is connected with the source `plex`, from 2024.8 on. */
export const PLEX_GROUP_CONNECTION = { pk: 3, group: uuid("22"), source: "plex" } as const;

function createUser(pk: number, username: string, overrides: Partial<User> = {}): User {
  return { pk, username, superuser: false, active: true, viewsAllConnections: false, ...overrides };
}

function createUsers(): User[] {
  const named = [
    createUser(41, "administrator", { superuser: true }),
    createUser(42, "alice"),
    createUser(43, "bob"),
    createUser(44, "carol"),
    createUser(45, "dave"),
    createUser(46, "eve", { active: false }),
    createUser(50, "service", { superuser: true }),
    createUser(51, "operator", { viewsAllConnections: true }),
    createUser(52, "auditor"),
  ];
  const viewers = Array.from({ length: 250 }, (_, index) =>
    createUser(1001 + index, `viewer${String(index + 1).padStart(3, "0")}`),
  );
  return [...named, ...viewers];
}

function createSource(pk: string, slug: string, name: string, overrides: Partial<Source> = {}): Source {
  return {
    pk,
    kind: "plex",
    name,
    slug,
    enabled: true,
    authenticationFlow: null,
    enrollmentFlow: null,
    userPropertyMappings: [],
    groupPropertyMappings: [],
    policyEngineMode: "any",
    userMatchingMode: "identifier",
    userPathTemplate: "goauthentik.io/sources/%(slug)s",
    managed: null,
    icon: null,
    ...overrides,
  };
}

function createSources(): Source[] {
  const complete = {
    authenticationFlow,
    enrollmentFlow,
    userPropertyMappings: [PLEX_MAPPINGS.user.pk],
    groupPropertyMappings: [PLEX_MAPPINGS.group.pk],
  };
  return [
    createSource(uuid("a"), "plex", "Plex", complete),
    createSource(uuid("c"), "studio", "Studio", {
      userMatchingMode: "username_deny",
      userPathTemplate: "studio/%(slug)s/guests",
      icon: { url: "https://cdn.example/studio.svg" },
    }),
    createSource(uuid("d"), "neighbourhood", "Neighbourhood", complete),
    createSource(uuid("b"), "cinema", "Cinéma du coin 🎬", {
      enabled: false,
      authenticationFlow,
      policyEngineMode: "all",
      userMatchingMode: "email_link",
      icon: { file: "source-icons/cinema.png" },
    }),
    createSource(uuid("e"), "ldap", "LDAP", { kind: "ldap" }),
    createSource(uuid("f"), "authentik-built-in", "authentik Built-in", {
      kind: "base",
      managed: "goauthentik.io/sources/inbuilt",
    }),
  ];
}

/** As Python writes it: without a fraction where there are no microseconds. */
function timestamp({ day, second, fraction }: { day: number; second: number; fraction: string }): string {
  return `2024-09-${day}T08:31:${second}${fraction}Z`;
}

/** The seeded directory: the one that the recorded authentik servers held. */
export function createDirectory(): Directory {
  const users = new Map(createUsers().map((user) => [user.pk, user]));
  const sources = createSources();
  const connections = new Map<number, Connection>();
  const connect = (
    pk: number,
    userPk: number,
    slug: string,
    identifier: string,
    { position, whole = false }: { position: number; whole?: boolean },
  ): void => {
    const user = users.get(userPk);
    const source = sources.find((candidate) => candidate.slug === slug);
    if (user === undefined || source === undefined) throw new Error(`The seed of connection ${pk} is wrong.`);
    connections.set(pk, {
      pk,
      user,
      source,
      identifier,
      plexToken: `canary-plex-token-of-connection-${pk}`,
      created: timestamp({ day: 12 + position, second: 22 + position, fraction: whole ? "" : ".104982" }),
      lastUpdated: timestamp({ day: 13 + position, second: 22 + position, fraction: whole ? "" : ".104989" }),
    });
  };
  connect(5, 42, "plex", "12345678", { position: 0 });
  connect(6, 43, "plex", "87654321", { position: 1 });
  connect(7, 42, "cinema", "12345678", { position: 2 });
  connect(8, 44, "studio", "424242", { position: 3, whole: true });
  connect(9, 45, "plex", ' odd "identifier" / ünïcode 🎬 \\ \u2028 ', { position: 4 });
  for (let pk = 1001; pk <= 1250; pk += 1) {
    connect(pk, pk, "neighbourhood", String(70_000_000 + pk - 1000), { position: 10 });
  }
  return { users, sources, connections };
}
