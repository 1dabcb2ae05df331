import { hash } from "node:crypto";
import type { ArgBuilder, ObjectRef } from "@pothos/core";
import { getNamedType, type GraphQLResolveInfo, Kind } from "graphql";
import * as v from "valibot";
import { MAX_PK } from "../authentik/decoders.ts";
import type { Anchor, Order, Window } from "../authentik/lookup/list-window.ts";
import { builder, type GraphTypes } from "./builder.ts";
import { selectsOnly } from "./entities.ts";
import { clientError } from "./errors.ts";

// Lists in pages, as https://relay.dev/graphql/connections.htm has them, forward only.

/** A page of a list, as the types made by {@link connectionType} show it. */
export interface Connection<T> {
  edges: readonly { node: T; cursor: string }[];
  pageInfo: PageInfo;
  totalCount: number;
}

interface PageInfo {
  hasNextPage: boolean;
  hasPreviousPage: boolean;
  startCursor: string | null;
  endCursor: string | null;
}

const PageInfoRef = builder.objectRef<PageInfo>("PageInfo").implement({
  shareable: true,
  description: "Where a page stands in its list.",
  fields: (t) => ({
    hasNextPage: t.exposeBoolean("hasNextPage", {
      description: "Whether there is more: ask again with `after: endCursor`.",
    }),
    hasPreviousPage: t.exposeBoolean("hasPreviousPage", {
      description: "Whether something comes before this page. Lists are read forward only.",
    }),
    startCursor: t.exposeString("startCursor", {
      nullable: true,
      description: "Cursor of the first item. Null for an empty page.",
    }),
    endCursor: t.exposeString("endCursor", {
      nullable: true,
      description: "Cursor of the last item, for `after:`. Null for an empty page.",
    }),
  }),
});

/** What a field that answers with a connection tells those who count costs. */
export const PAGED = {
  slicingArguments: ["first"],
  sizedFields: ["edges", "nodes"],
  requireOneSlicingArgument: false,
};

/** The types `<Thing>Connection` and `<Thing>Edge` for a list of things. `things`: how descriptions call them. */
export function connectionType<T>(
  node: ObjectRef<GraphTypes, T>,
  { things }: { things: string },
): ObjectRef<GraphTypes, Connection<T>> {
  const Edge = builder.objectRef<Connection<T>["edges"][number]>(`${node.name}Edge`).implement({
    description: `One of the ${things} of a page, with its place.`,
    fields: (t) => ({
      cursor: t.exposeString("cursor", { description: "Its place in the list, for `after:`. Opaque." }),
      node: t.field({
        type: node,
        description: "What stands there.",
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Pothos wants the shape of a type that it cannot see through: it is T
        resolve: (edge) => edge.node as never,
      }),
    }),
  });
  return builder.objectRef<Connection<T>>(`${node.name}Connection`).implement({
    description: `A page of a list of ${things}.`,
    fields: (t) => ({
      edges: t.field({
        type: [Edge],
        description: `The ${things} of this page, each with a cursor.`,
        resolve: (connection) => connection.edges,
      }),
      nodes: t.field({
        type: [node],
        description: `The ${things} of this page.`,
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
        resolve: (connection) => connection.edges.map((edge) => edge.node) as never,
      }),
      pageInfo: t.field({
        type: PageInfoRef,
        description: "Whether there is more, and where to go on.",
        resolve: (connection) => connection.pageInfo,
      }),
      totalCount: t.exposeInt("totalCount", {
        description: `How many ${things} there are in all, for you and with this filter. Asked alone it reads one row.`,
      }),
    }),
  });
}

/** Where a page begins and how long it is. */
export interface PageArguments {
  first: number;
  after?: string | null | undefined;
}

/** The arguments `first` and `after`. */
export function pageArguments(arg: ArgBuilder<GraphTypes>) {
  return {
    first: arg.int({
      required: true,
      defaultValue: 20,
      description: "How many at the most: from 1 to 100, unless the operator has set another limit.",
    }),
    after: arg.string({
      description:
        "Cursor of the last one that you have, such as `pageInfo.endCursor`. Left out: from the beginning.",
    }),
  };
}

/**
 * A page of a list, checked, read and given its cursors.
 *
 * A cursor says where it stands (offset, last row, rows in all) and in which list. It holds nothing that its reader has
 * not seen, so it is not signed; what is no cursor of this very list is refused.
 * @param options.list what tells this list from others: its name, filter and sort. As JSON
 * @param options.read reads so many rows after an anchor
 * @throws BAD_USER_INPUT for a `first` out of range and a cursor of something else
 */
export async function connectionOf<T extends { readonly pk: number }>(
  { first: wanted, after }: PageArguments,
  options: {
    info: GraphQLResolveInfo;
    maxPageSize: number;
    list: readonly unknown[];
    order: Order<T>;
    read: (page: { size: number; after: Anchor | null }) => Promise<Window<T>>;
  },
): Promise<Connection<T>> {
  const { info, maxPageSize, list, order, read } = options;
  const first = isGiven("first", info) ? wanted : Math.min(wanted, maxPageSize);
  if (first < 1 || first > maxPageSize) {
    throw clientError("BAD_USER_INPUT", `\`first\` is a number from 1 to ${maxPageSize}.`, {
      argument: "first",
      max: maxPageSize,
    });
  }
  const scope = hash("sha256", JSON.stringify(list), "base64url").slice(0, 8);
  const anchor = typeof after === "string" ? decodeCursor(after, scope) : null;
  const isCount = selectsOnly(info, getNamedType(info.returnType).name, ["totalCount"]);
  const { rows, count } = await read(isCount ? { size: 1, after: null } : { size: first, after: anchor });
  const edges = rows.map(({ row, offset, count: ofThen }) => ({
    node: row,
    cursor: encodeCursor(
      { offset: offset + 1, pk: row.pk, key: order.key?.(row) ?? [], count: ofThen },
      scope,
    ),
  }));
  const last = rows.at(-1);
  return {
    edges,
    totalCount: count,
    pageInfo: {
      hasNextPage: last !== undefined && last.offset + 1 < count,
      hasPreviousPage: (rows[0]?.offset ?? anchor?.offset ?? 0) > 0,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  };
}

/** Whether the client gave this argument of the field; else its value is the graph's default. */
function isGiven(argument: string, { fieldNodes, variableValues }: GraphQLResolveInfo): boolean {
  const value = fieldNodes[0]?.arguments?.find(({ name }) => name.value === argument)?.value;
  if (value?.kind === Kind.VARIABLE) return Object.hasOwn(variableValues, value.name.value);
  return value !== undefined;
}

function encodeCursor({ offset, pk, count, key }: Anchor, scope: string): string {
  return Buffer.from(JSON.stringify([scope, offset, pk, count, ...key])).toString("base64url");
}

const CountSchema = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(MAX_PK));

/** Anybody can write a cursor: this is longer than any of ours, and has what {@link encodeCursor} puts in. */
const CursorSchema = v.pipe(
  v.string(),
  v.maxLength(1_024),
  v.transform((cursor) => Buffer.from(cursor, "base64url").toString()),
  v.parseJson(),
  v.tupleWithRest([v.string(), CountSchema, CountSchema, CountSchema], v.union([v.string(), v.number()])),
  v.maxLength(7),
);

function decodeCursor(cursor: string, scope: string): Anchor {
  const { success, output } = v.safeParse(CursorSchema, cursor);
  if (success && output[0] === scope) {
    const [, offset, pk, count, ...key] = output;
    return { offset, pk, count, key };
  }
  throw clientError(
    "BAD_USER_INPUT",
    "`after` is no cursor of this list: give back one that came with the same filter and sort.",
    { argument: "after" },
  );
}
