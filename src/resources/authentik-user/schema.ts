import { requirePk, requireText, requireUuid, requireWords } from "../../graphql/arguments.ts";
import { builder } from "../../graphql/builder.ts";
import { connectionOf, connectionType, PAGED, pageArguments } from "../../graphql/connection.ts";
import { keyOnly } from "../../graphql/entities.ts";
import type { AuthentikGroup, AuthentikUser } from "./decode.ts";
import {
  authentikGroupByPk,
  authentikUserByPk,
  authentikUserByUsername,
  authentikUsers,
  lastLoginByPk,
  USER_ORDER,
} from "./loaders.ts";
import { authentikViewer } from "./viewer.ts";

const AuthentikGroupRef = builder.objectRef<AuthentikGroup>("AuthentikGroup").implement({
  description: "A group of authentik users.",
  fields: (t) => ({
    id: t.id({
      description: "The primary key as text: what caches key on.",
      extensions: { needs: ["pk"] },
      resolve: (group) => group.pk,
    }),
    pk: t.expose("pk", { type: "UUID", description: "Primary key." }),
    name: t.exposeString("name", { description: "Name, such as `family`." }),
  }),
});

/** Somebody whom authentik knows. */
export const AuthentikUserRef = builder.objectRef<AuthentikUser>("AuthentikUser").implement({
  description:
    "Somebody whom authentik knows: a person or a service account. Administrators read all users, everybody reads " +
    "themselves.",
  fields: (t) => ({
    id: t.id({
      description: "The primary key as text, such as `42`: what caches key on.",
      extensions: { needs: ["pk"] },
      resolve: (user) => String(user.pk),
    }),
    pk: t.exposeInt("pk", { description: "Primary key, such as 42." }),
    username: t.exposeString("username", {
      description: "Name to sign in with, such as `alice`. Unique; upper and lower case differ.",
    }),
    name: t.exposeString("name", {
      nullable: true,
      description: "Name as people see it, such as `Alice`. May be empty; null where it could not be read.",
    }),
    email: t.exposeString("email", {
      nullable: true,
      description: "E-mail address. Several users may have the same. Null where there is none.",
    }),
    isActive: t.exposeBoolean("isActive", {
      nullable: true,
      description: "Whether they may sign in. Null where it could not be read.",
    }),
    avatar: t.exposeString("avatar", {
      nullable: true,
      description:
        "Their picture: an address, which may be relative to authentik's own, or the picture itself as a `data:` URL. " +
        "Null where there is none.",
    }),
    lastLogin: t.field({
      type: "DateTime",
      nullable: true,
      description:
        "When they signed in last. Null for never, and with `FORBIDDEN` for who may not read users, themselves " +
        "included.",
      resolve: ({ pk, lastLogin }, _args, { authentik }) =>
        lastLogin === undefined ? lastLoginByPk(authentik).load(pk) : lastLogin,
    }),
    groups: t.field({
      type: [AuthentikGroupRef],
      nullable: true,
      listSize: { assumedSize: 5 },
      description: "Groups that they are in. Null where authentik does not tell.",
      resolve: (user) => user.groups,
    }),
  }),
});

const AuthentikUserConnection = connectionType(AuthentikUserRef, { things: "users" });

const AuthentikUserFilter = builder.inputType("AuthentikUserFilter", {
  description: "Which users a list has. All that is given must hold.",
  fields: (t) => ({
    email: t.string({ description: "Exactly this e-mail address, case included." }),
    search: t.string({ description: "A part of the name, user name or e-mail address, in any case." }),
    isActive: t.boolean({ description: "Whether they may sign in." }),
    group: t.string({ description: "Name of a group that they are in, exactly." }),
  }),
});

builder.queryFields((t) => ({
  authentikViewer: t.field({
    type: AuthentikUserRef,
    nullable: true,
    cost: 5,
    description:
      "You: the user whose credentials came with the request. Where the gateway has a token of its own, that token's " +
      "user. Null where authentik could not be asked.",
    resolve: (_root, _args, { authentik }) => authentikViewer(authentik),
  }),
  authentikUser: t.field({
    type: AuthentikUserRef,
    nullable: true,
    cost: 5,
    description:
      "The user with this name. Null where there is none. Who may not read users may name themselves; anybody else is " +
      "`FORBIDDEN` to them.",
    args: {
      username: t.arg.string({
        required: true,
        description: "Name to sign in with, such as `alice`: exactly, case included.",
      }),
    },
    resolve: (_root, { username }, { authentik, maxScannedRows }) =>
      authentikUserByUsername(authentik, maxScannedRows).load(requireText(username, "username")),
  }),
  authentikUsers: t.field({
    type: AuthentikUserConnection,
    nullable: true,
    cost: 5,
    listSize: PAGED,
    description:
      "The users that you may see, by primary key. Null with `FORBIDDEN` for who may not read users.",
    args: {
      ...pageArguments(t.arg),
      filter: t.arg({ type: AuthentikUserFilter, description: "Which users." }),
    },
    resolve: (_root, args, { authentik, maxPageSize }, info) => {
      const filter = args.filter ?? {};
      const { email, search, isActive, group } = filter;
      for (const [field, text] of Object.entries({ email, group })) {
        if (typeof text === "string") requireText(text, `filter.${field}`);
      }
      if (typeof search === "string") requireWords(search, "filter.search");
      return connectionOf(args, {
        info,
        maxPageSize,
        list: ["users", email, search, isActive, group],
        order: USER_ORDER,
        read: (page) => authentikUsers(authentik, filter, page),
      });
    },
  }),
}));

builder.asEntity(AuthentikUserRef, {
  key: [builder.selection<{ pk: number }>("pk"), builder.selection<{ username: string }>("username")],
  resolveReference: (representation, { authentik, maxScannedRows }, info) => {
    const { pk, username }: { pk?: unknown; username?: unknown } = representation;
    if (pk === undefined && typeof username === "string") {
      const key = { username: requireText(username, "username") };
      const known = keyOnly<AuthentikUser>(info, "AuthentikUser", key);
      return known ?? authentikUserByUsername(authentik, maxScannedRows).load(key.username);
    }
    const key = { pk: requirePk(pk, "pk"), ...(typeof username === "string" && { username }) };
    return keyOnly<AuthentikUser>(info, "AuthentikUser", key) ?? authentikUserByPk(authentik).load(key.pk);
  },
});

builder.asEntity(AuthentikGroupRef, {
  key: builder.selection<{ pk: string }>("pk"),
  resolveReference: (representation, { authentik }, info) => {
    const pk = requireUuid(representation.pk, "The key `pk` of an AuthentikGroup is a UUID.");
    const known = keyOnly<AuthentikGroup>(info, "AuthentikGroup", { pk });
    return known ?? authentikGroupByPk(authentik).load(pk);
  },
});
