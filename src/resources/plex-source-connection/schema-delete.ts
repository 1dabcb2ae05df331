import { requirePk } from "../../graphql/arguments.ts";
import { builder } from "../../graphql/builder.ts";
import { deletePlexSourceConnection } from "./loaders.ts";

// Only in the graph where the operator allows mutations: see createSchema.

interface UserError {
  code: "NOT_FOUND";
  field: readonly string[] | null;
  message: string;
}

interface Payload {
  deletedId: string | null;
  userErrors: readonly UserError[];
}

const ErrorCode = builder.enumType("PlexConnectionUserErrorCode", {
  description: "What kept a connection from being changed.",
  values: {
    NOT_FOUND: {
      description:
        "There is none with this id, or you may not see it: authentik does not tell the two apart.",
    },
  },
});

const UserErrorRef = builder.objectRef<UserError>("PlexConnectionUserError").implement({
  description: "Why a change was not made, for the person who asked for it.",
  fields: (t) => ({
    code: t.field({ type: ErrorCode, description: "For programs.", resolve: (error) => error.code }),
    field: t.exposeStringList("field", {
      nullable: true,
      listSize: { assumedSize: 2 },
      description:
        'Path of the input that it is about, such as `["input", "id"]`. Null where it is about none.',
    }),
    message: t.exposeString("message", { description: "For people." }),
  }),
});

const PayloadRef = builder.objectRef<Payload>("PlexConnectionDeletePayload").implement({
  description: "What came of deleting a connection.",
  fields: (t) => ({
    deletedId: t.exposeID("deletedId", {
      nullable: true,
      description: "The id of the connection that is gone. Null where none was deleted.",
    }),
    userErrors: t.field({
      type: [UserErrorRef],
      listSize: { assumedSize: 1 },
      description: "Why nothing was deleted. Empty where something was.",
      resolve: (payload) => payload.userErrors,
    }),
  }),
});

const Input = builder.inputType("PlexConnectionDeleteInput", {
  description: "Which connection to delete.",
  fields: (t) => ({
    id: t.id({ required: true, description: "Its primary key, such as `5`." }),
  }),
});

builder.mutationField("plexConnectionDelete", (t) =>
  t.field({
    type: PayloadRef,
    nullable: true,
    cost: 10,
    description:
      "Unlinks a user from a Plex account: deletes the connection. Its owner and administrators may. Null with an error " +
      "where authentik refused or could not be asked; whether it was deleted is then for a new read to tell.",
    args: { input: t.arg({ type: Input, required: true, description: "Which one." }) },
    resolve: async (_root, { input }, { authentik }): Promise<Payload> => {
      const pk = requirePk(input.id, "input.id");
      if (await deletePlexSourceConnection(authentik, pk)) return { deletedId: String(pk), userErrors: [] };
      const message = "There is no such connection, or you may not see it.";
      return { deletedId: null, userErrors: [{ code: "NOT_FOUND", field: ["input", "id"], message }] };
    },
  }),
);
