import { builder } from "../../graphql/builder.ts";
import { selectsOnly } from "../../graphql/entities.ts";
import { clientError } from "../../graphql/errors.ts";
import { SourceRef } from "../source/schema.ts";
import { plexSourceConnectionByPk } from "./loaders.ts";
import { parsePk } from "./pk.ts";
import type { PlexSourceConnection } from "./decode.ts";

const PlexSourceConnectionRef = builder.objectRef<PlexSourceConnection>("PlexSourceConnection");

PlexSourceConnectionRef.implement({
  description:
    "Links one authentik user to one Plex account, through the source that the user signed in with.",
  fields: (t) => ({
    id: t.id({
      description:
        "The primary key as text, such as `5`: what goes into `plexConnection(id:)` and what caches key on.",
      resolve: (connection) => String(connection.pk),
    }),
    pk: t.exposeInt("pk", { description: "The primary key as authentik has it, such as 5." }),
    user: t.exposeInt("user", {
      description:
        "Primary key of the authentik user, such as 42: what another subgraph's user can be joined on.",
    }),
    source: t.expose("source", {
      type: SourceRef,
      description: "The source through which the user is connected.",
    }),
    identifier: t.exposeString("identifier", {
      description: "Number of the Plex account, as text, such as `12345678`.",
    }),
    created: t.expose("created", {
      type: "DateTime",
      nullable: true,
      description: "When the connection was made. Null before authentik 2024.8, which introduced it.",
    }),
    lastUpdated: t.expose("lastUpdated", {
      type: "DateTime",
      nullable: true,
      description: "When the connection last changed. Null before authentik 2025.4, which introduced it.",
    }),
  }),
});

builder.queryField("plexConnection", (t) =>
  t.field({
    type: PlexSourceConnectionRef,
    nullable: true,
    cost: 5,
    description:
      "The Plex connection with this id. Null where there is none or the caller may not see it: authentik does not " +
      "tell the two apart.",
    args: {
      id: t.arg.id({
        required: true,
        description: 'Primary key: digits only, from 1 to 2147483647, such as `5` or `"5"`.',
      }),
    },
    resolve: (_root, { id }, { authentik }) => plexSourceConnectionByPk(authentik).load(requirePk(id, "id")),
  }),
);

const KEY_FIELDS: ReadonlySet<string> = new Set(["pk", "id"]);

builder.asEntity(PlexSourceConnectionRef, {
  key: [builder.selection<{ pk: number }>("pk"), builder.selection<{ id: string }>("id")],
  resolveReference: (key, { authentik }, info) => {
    const keys: { pk?: unknown; id?: unknown } = key;
    const pk = requirePk(keys.pk ?? keys.id, "pk");
    if (keys.id !== undefined && requirePk(keys.id, "id") !== pk) {
      throw clientError(
        "BAD_USER_INPUT",
        "The keys `pk` and `id` of a representation name different connections.",
      );
    }
    return selectsOnly(info, "PlexSourceConnection", KEY_FIELDS)
      ? keyOnly(pk)
      : plexSourceConnectionByPk(authentik).load(pk);
  },
});

/** A connection of which only the key will be read. */
function keyOnly(pk: number): PlexSourceConnection {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the selection was checked: nobody reads another field
  return { pk } as PlexSourceConnection;
}

function requirePk(id: unknown, argument: string): number {
  const pk = parsePk(id);
  if (pk === null) {
    throw clientError("BAD_USER_INPUT", 'An id is digits only, from 1 to 2147483647, such as 5 or "5".', {
      argument,
    });
  }
  return pk;
}
