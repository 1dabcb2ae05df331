import type { ArgBuilder } from "@pothos/core";
import type { GraphQLResolveInfo } from "graphql";
import { requirePk, requireText } from "../../graphql/arguments.ts";
import { builder, type GraphTypes } from "../../graphql/builder.ts";
import {
  connectionOf,
  connectionType,
  PAGED,
  type PageArguments,
  pageArguments,
} from "../../graphql/connection.ts";
import type { GraphContext } from "../../graphql/context.ts";
import { authentikUserByUsername } from "../authentik-user/loaders.ts";
import { AuthentikUserRef } from "../authentik-user/schema.ts";
import { SourceRef } from "../source/schema.ts";
import {
  type PlexConnectionFilter,
  type PlexConnectionSort,
  plexSourceConnections,
  plexSourceConnectionsByUser,
  sortOf,
} from "./loaders.ts";
import { PlexSourceConnectionRef } from "./schema.ts";

const PlexSourceConnectionConnection = connectionType(PlexSourceConnectionRef, {
  things: "Plex connections",
});

const PlexConnectionSortRef = builder.enumType("PlexConnectionSort", {
  description: "The order of a list of connections.",
  values: {
    ID_ASC: { description: "By primary key: oldest first." },
    ID_DESC: { description: "By primary key: newest first." },
    USER_ASC: { description: "By the user's primary key." },
    IDENTIFIER_ASC: {
      description: "By the number of the Plex account, as text, so that equal ones stand together.",
    },
    LAST_UPDATED_DESC: {
      description:
        "Changed last comes first. Before authentik 2025.4 by when they were made, before 2024.8 by primary key, " +
        "newest first.",
    },
  },
} as const);

function sortArgument(arg: ArgBuilder<GraphTypes>) {
  const description = "Their order.";
  return arg({ type: PlexConnectionSortRef, required: true, defaultValue: "ID_ASC", description });
}

const PlexConnectionFilterRef = builder.inputType("PlexConnectionFilter", {
  description: "Which connections a list has. All that is given must hold.",
  fields: (t) => ({
    username: t.string({
      description:
        "Name of the user, such as `alice`: exactly, case included. Who may not read users may name themselves; " +
        "anybody else is `FORBIDDEN` to them.",
    }),
    user: t.int({ description: "Primary key of the user, such as 42." }),
    source: t.string({ description: "Slug of the source, such as `plex`." }),
    identifier: t.string({
      description:
        "Number of the Plex account, such as `12345678`, exactly. It is picked from what authentik's search finds, " +
        "before authentik 2025.4 from all; name a `source` where that is too much (`LIMIT_EXCEEDED`).",
    }),
  }),
});

builder.queryField("plexConnections", (t) =>
  t.field({
    type: PlexSourceConnectionConnection,
    nullable: true,
    cost: 5,
    listSize: PAGED,
    description:
      "The Plex connections that you may see: administrators see all, others their own. Null where authentik could not " +
      "be asked.",
    args: {
      ...pageArguments(t.arg),
      filter: t.arg({ type: PlexConnectionFilterRef, description: "Which connections." }),
      sort: sortArgument(t.arg),
    },
    resolve: (_root, { filter, ...args }, context, info) => page(args, filter ?? {}, { context, info }),
  }),
);

builder.objectField(SourceRef, "plexConnections", (t) =>
  t.field({
    type: PlexSourceConnectionConnection,
    nullable: true,
    cost: 5,
    listSize: PAGED,
    description:
      "The connections through this source that you may see: administrators see all, others their own. Null where " +
      "authentik could not be asked.",
    args: { ...pageArguments(t.arg), sort: sortArgument(t.arg) },
    extensions: { needs: ["slug"] },
    resolve: ({ slug }, args, context, info) => page(args, { source: slug }, { context, info }),
  }),
);

builder.objectField(AuthentikUserRef, "plexConnections", (t) =>
  t.field({
    type: [PlexSourceConnectionRef],
    nullable: true,
    cost: 5,
    listSize: { assumedSize: 2 },
    description:
      "Their Plex connections that you may see: administrators see all, others their own. Null where authentik could " +
      "not be asked.",
    extensions: { needs: ["pk"] },
    resolve: ({ pk }, _args, { authentik, maxScannedRows }) =>
      plexSourceConnectionsByUser(authentik, maxScannedRows).load(pk),
  }),
);

function page(
  { sort, ...args }: PageArguments & { sort: PlexConnectionSort },
  { username, user, source, identifier }: PlexConnectionFilter & { username?: string | null | undefined },
  { context, info }: { context: GraphContext; info: GraphQLResolveInfo },
) {
  const { authentik, maxPageSize, maxScannedRows: maxRows } = context;
  if (typeof username === "string") requireText(username, "filter.username");
  if (typeof user === "number") requirePk(user, "filter.user");
  if (typeof source === "string") requireText(source, "filter.source");
  if (typeof identifier === "string") requireText(identifier, "filter.identifier", { maxLength: Infinity });
  return connectionOf(args, {
    info,
    maxPageSize,
    list: ["connections", sort, username, user, source, identifier],
    order: sortOf(sort),
    async read(window) {
      const options = { ...window, sort, maxRows };
      if (typeof username !== "string") {
        return plexSourceConnections(authentik, { user, source, identifier }, options);
      }
      const named = await authentikUserByUsername(authentik, maxRows).load(username);
      const isNobody = named === null || (typeof user === "number" && user !== named.pk);
      if (isNobody) return { rows: [], count: 0 };
      return plexSourceConnections(authentik, { user: named.pk, source, identifier }, options);
    },
  });
}
