import { createHash } from "node:crypto";
import { type Group, isSuperuser, type Row, type User, uuid } from "./directory.ts";
import { type ApiRequest, compare, createSearch, listPage, parameter } from "./list.ts";
import type { Release } from "./releases.ts";
import { invalidChoice, noMatch } from "./rest-response.ts";

/** authentik's picture of whom it knows no picture: relative to where authentik is. */
const avatar = "/static/dist/assets/images/user_default.png";

const uidOf = ({ pk }: User): string => createHash("sha256").update(`${pk}`).digest("hex");

function groupBody({ pk, name, superuser }: Group, { since }: Release): Row {
  return {
    pk,
    // The first digits of the key, read as one number: all keys of the sandbox start alike.
    num_pk: 12_617,
    name,
    is_superuser: superuser,
    ...(!since("2025.12") && { parent: null, ...(since("2024.8") && { parent_name: null }) }),
    attributes: {},
  };
}

/** A user as administrators see him, keys in the order of the release. */
function userBody(user: User, release: Release): Row {
  const { since } = release;
  return {
    pk: user.pk,
    username: user.username,
    name: user.name,
    is_active: user.active,
    last_login: user.lastLogin,
    ...(since("2025.4") && { date_joined: user.joined }),
    is_superuser: isSuperuser(user),
    groups: user.groups.map(({ pk }) => pk),
    groups_obj: user.groups.map((group) => groupBody(group, release)),
    ...(since("2025.12") && { roles: [], roles_obj: [] }),
    email: user.email,
    avatar,
    attributes: {},
    uid: uidOf(user),
    path: "users",
    type: user.type,
    uuid: uuid(`${user.pk}`),
    ...(since("2025.2") && { password_change_date: user.joined }),
    ...(since("2025.8") && { last_updated: user.joined }),
  };
}

/** A user as he sees himself. */
function ownBody(user: User, { since }: Release): Row {
  return {
    pk: user.pk,
    username: user.username,
    name: user.name,
    is_active: user.active,
    is_superuser: isSuperuser(user),
    ...(since("2026.8") && { is_current: false }),
    groups: user.groups.map(({ name, pk }) => ({ name, pk })),
    ...(since("2025.12") && { roles: [] }),
    email: user.email,
    avatar,
    uid: uidOf(user),
    settings: {},
    type: user.type,
    system_permissions: isSuperuser(user) ? ["access_admin_interface"] : [],
  };
}

/** The groups of `?groups_by_name=`, which may be repeated. @throws {HttpError} 400 for a group that is not there */
function groupsParameter({ query, directory }: ApiRequest): readonly Group[] {
  return query.getAll("groups_by_name").map((name) => {
    const group = directory.groups.find((candidate) => candidate.name === name);
    if (group !== undefined) return group;
    throw invalidChoice("groups_by_name", name);
  });
}

/** `GET /core/users/`, usually by user name. */
export function listUsers(request: ApiRequest): Row {
  const username = parameter(request, "username");
  const email = parameter(request, "email");
  const active = parameter(request, "is_active")?.toLowerCase();
  const groups = groupsParameter(request);
  const matches = createSearch(request);
  const rows = [...request.directory.users.values()].filter(
    (user) =>
      (username === undefined || user.username === username) &&
      (email === undefined || user.email === email) &&
      (!["true", "false"].includes(active ?? "") || String(user.active) === active) &&
      (groups.length === 0 || groups.some((group) => user.groups.includes(group))) &&
      matches([user.username, user.name, user.email]),
  );
  rows.sort((left, right) => compare(left.username, right.username));
  return listPage(request, rows, (user) => userBody(user, request.release));
}

/** `GET /core/users/{id}/` */
export function retrieveUser({ key, directory, release }: ApiRequest): Row {
  const user = directory.users.get(Number(key));
  if (user === undefined) throw noMatch("User", release);
  return userBody(user, release);
}

/** `GET /core/users/me/`: for every caller that is accepted. */
export function retrieveOwnUser({ caller, release }: ApiRequest): Row {
  return { user: ownBody(caller, release), ...(release.since("2026.8") && { users: [] }) };
}

/** `GET /core/groups/{id}/`, without the users themselves. */
export function retrieveGroup({ key, directory, release }: ApiRequest): Row {
  const group = directory.groups.find(({ pk }) => pk === key);
  if (group === undefined) throw noMatch("Group", release);
  const members = [...directory.users.values()].filter(({ groups }) => groups.includes(group));
  const users = members.map(({ pk }) => pk);
  return { ...groupBody(group, release), users, users_obj: null };
}
