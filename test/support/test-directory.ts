import {
  addConnection,
  createDirectory,
  createUser,
  type Directory,
  type User,
} from "../../src/sandbox/directory.ts";

/**
 * Of the sandbox's directory: administrator (41), alice (42: connections 5 and 7), bob (43: connection 6, which claims
 * alice's account), stranger (53: none), and as many viewers from 1001 on, each with one connection of the same key through
 * the source cinema. Who shows `Bearer token-of-<username>` is that user.
 */
export function createTestDirectory({ viewers = 0 }: { viewers?: number } = {}): Directory {
  const { users: people, sources, groups } = createDirectory();
  const changes: readonly [pk: number, changes: Partial<User>][] = [
    [41, { lastLogin: "2025-01-02T03:04:05.678901Z" }],
    [42, {}],
    [43, { lastLogin: null, email: "" }],
    [53, {}],
  ];
  const users = new Map(changes.map(([pk, changed]) => [pk, { ...people.get(pk)!, ...changed }]));
  const directory = {
    users,
    groups,
    sources: sources.filter(({ slug }) => slug === "plex" || slug === "cinema"),
    connections: new Map(),
  };
  addConnection(directory, [5, 42, "plex", "12345678"], { position: 0 });
  addConnection(directory, [6, 43, "plex", "12345678"], { position: 1 });
  addConnection(directory, [7, 42, "cinema", "123456789"], { position: 2 });
  for (let pk = 1001; pk <= 1000 + viewers; pk += 1) {
    users.set(pk, createUser(pk, `viewer${pk}`));
    addConnection(directory, [pk, pk, "cinema", String(70_000_000 + pk)], { position: pk - 998 });
  }
  return directory;
}
