import { requireText } from "../../graphql/arguments.ts";
import { builder } from "../../graphql/builder.ts";
import { clientError } from "../../graphql/errors.ts";
import { plexSourceConnectionsByIdentifier } from "../plex-source-connection/loaders.ts";
import { PlexSourceConnectionRef } from "../plex-source-connection/schema.ts";

/** An account at plex.tv, of which authentik knows the number alone. */
interface PlexAccount {
  id: string;
}

const PlexAccountRef = builder.objectRef<PlexAccount>("PlexAccount").implement({
  description:
    "An account at plex.tv, by its number. authentik knows no more of it than who claims it, and a claim is no proof: " +
    "owners of connections may change their `identifier` to any text. Do not grant anything by it alone.",
  fields: (t) => ({
    id: t.exposeID("id", {
      description: "Number of the account, such as `12345678`: what other systems can be joined on.",
    }),
    plexConnections: t.field({
      type: [PlexSourceConnectionRef],
      nullable: true,
      cost: 5,
      listSize: { assumedSize: 2 },
      extensions: { needs: ["id"] },
      description:
        "The connections that claim this account, of those that you may see. Empty where nobody does. They are picked " +
        "from what authentik's search finds, before authentik 2025.4 from all; where that is too much it is null with " +
        "`LIMIT_EXCEEDED`: ask `plexConnections` with a `source` then.",
      resolve: ({ id }, _args, { authentik, maxScannedRows }) =>
        plexSourceConnectionsByIdentifier(authentik, maxScannedRows).load(id),
    }),
  }),
});

builder.queryField("plexAccount", (t) =>
  t.field({
    type: PlexAccountRef,
    nullable: true,
    description:
      "The Plex account with this number, whether anybody claims it or not: ask for its `plexConnections`. Nullable, so " +
      "that a wrong id leaves its siblings alone.",
    args: {
      id: t.arg.id({ required: true, description: "Number of the account, such as `12345678`: exactly." }),
    },
    resolve: (_root, { id }) => accountOf(id),
  }),
);

builder.objectField(PlexSourceConnectionRef, "account", (t) =>
  t.field({
    type: PlexAccountRef,
    extensions: { needs: ["identifier"] },
    description: "The Plex account that the connection claims.",
    resolve: ({ identifier }) => ({ id: identifier }),
  }),
);

builder.asEntity(PlexAccountRef, {
  key: builder.selection<{ id: string }>("id"),
  resolveReference: ({ id }) => accountOf(id),
});

function accountOf(id: unknown): PlexAccount {
  // Other systems have the number as a number.
  const text = Number.isSafeInteger(id) ? String(id) : id;
  if (typeof text === "string") return { id: requireText(text, "id", { maxLength: Infinity }) };
  throw clientError(
    "BAD_USER_INPUT",
    "The key `id` of a PlexAccount is its number, as text or as a whole number.",
    {
      argument: "id",
    },
  );
}
