import { requirePk } from "../../graphql/arguments.ts";
import { builder } from "../../graphql/builder.ts";
import { keyOnly } from "../../graphql/entities.ts";
import { clientError } from "../../graphql/errors.ts";
import { authentikUserByPk } from "../authentik-user/loaders.ts";
import { AuthentikUserRef } from "../authentik-user/schema.ts";
import type { AuthentikUser } from "../authentik-user/decode.ts";
import { SourceRef } from "../source/schema.ts";
import type { PlexSourceConnection } from "./decode.ts";
import { plexSourceConnectionByPk } from "./loaders.ts";

/** A user's link to a Plex account. */
export const PlexSourceConnectionRef = builder.objectRef<PlexSourceConnection>("PlexSourceConnection");

PlexSourceConnectionRef.implement({
  description:
    "Links one authentik user to one Plex account, through the source that the user signed in with.",
  fields: (t) => ({
    id: t.id({
      description:
        "The primary key as text, such as `5`: what goes into `plexConnection(id:)` and what caches key on.",
      extensions: { needs: ["pk"] },
      resolve: (connection) => String(connection.pk),
    }),
    pk: t.exposeInt("pk", { description: "The primary key as authentik has it, such as 5." }),
    user: t.exposeInt("user", {
      shareable: true,
      description:
        "Primary key of the authentik user, such as 42: what another subgraph's user can be joined on. The owner of a " +
        "connection may give it to another user in releases since 2024.12.",
    }),
    owner: t.field({
      type: AuthentikUserRef,
      nullable: true,
      cost: 5,
      description:
        "The authentik user. Their keys cost nothing; the rest is null with `FORBIDDEN` for who may not read users, " +
        "who still read themselves. Null also where the user is gone.",
      resolve: ({ user }, _args, { authentik }, info) =>
        keyOnly<AuthentikUser>(info, "AuthentikUser", { pk: user }) ??
        authentikUserByPk(authentik).load(user),
    }),
    source: t.expose("source", {
      type: SourceRef,
      description: "The source through which the user is connected.",
    }),
    identifier: t.exposeString("identifier", {
      shareable: true,
      description:
        "Number of the Plex account, as text, such as `12345678`. A claim, not a proof: the owner of a connection may " +
        "change it to any text, and two connections may have the same.",
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
    const known = keyOnly<PlexSourceConnection>(info, "PlexSourceConnection", { pk });
    return known ?? plexSourceConnectionByPk(authentik).load(pk);
  },
});
