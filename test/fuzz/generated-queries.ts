import {
  getNamedType,
  getNullableType,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLSchema,
  isListType,
  isObjectType,
  isRequiredArgument,
  parse,
  validate,
} from "graphql";
import { findExcess } from "../../src/graphql/document-limits.ts";
import { TEST_GATEWAY_OPTIONS } from "../support/gateway.ts";
import type { Random } from "../support/random.ts";

interface Options {
  /** What `id` arguments are asked with. */
  ids: readonly unknown[];
  /**
   * For a router. Two kinds of fields never meet under one response key, since routers answer them wrongly: a field with a
   * condition and the same one without (Hive Gateway 2.15.1 drops both), and lists (router-runtime 1.4.23 joins them).
   */
  forRouters?: boolean;
}

/** Response keys that objects have by themselves, and harmless ones. */
const HARMLESS = ["a", "b", "c"];
const HOSTILE = ["constructor", "toString", "hasOwnProperty", "then", "_", "errors", ...HARMLESS];

/** What other arguments are asked with: slugs and user names. */
const TEXTS = ["plex", "nope", "alice"];

/** Keys of entities: there, not there, and none at all. */
const KEYS: readonly Record<string, unknown>[] = [
  { __typename: "Source", pk: "5eed0000-0000-4000-8000-00000000000a" },
  { __typename: "Source", pk: "5eed0000-0000-4000-8000-0000000000ff" },
  { __typename: "PlexSourceConnection", pk: "x" },
  { __typename: "Nothing", pk: 1 },
];

/**
 * Writes an operation over all that the query language has, valid and not larger than a document may be: fragments,
 * aliases, directives, merged fields, literals, variables, defaults and nulls.
 */
export function generateOperation(schema: GraphQLSchema, random: Random, options: Options) {
  for (;;) {
    const operation = writeOperation(schema, random, options);
    const document = parse(operation.query);
    const excess = findExcess(document, TEST_GATEWAY_OPTIONS.documentLimits);
    if (excess === null && validate(schema, document).length === 0) return operation;
  }
}

function writeOperation(schema: GraphQLSchema, random: Random, { ids, forRouters = false }: Options) {
  const variables: Record<string, unknown> = {};
  const definitions: string[] = [];
  const fragments: string[] = [];
  const taken = new Map<string, string>();
  let unique = 0;

  const variable = (type: string, value: unknown): string => {
    const name = `v${definitions.length}`;
    definitions.push(`$${name}:${type}`);
    if (value !== undefined) variables[name] = value;
    return `$${name}`;
  };

  const isConditional = random.chance(forRouters ? 0.6 : 0.3);
  const plain = forRouters ? HARMLESS : HOSTILE;
  const aliases = !forRouters && random.chance(0.2) ? ["__proto__", ...plain] : plain;

  const directive = (): string => {
    if (!isConditional || !random.chance(0.15)) return "";
    const wanted = random.chance(0.7);
    const condition = random.chance(0.5) ? String(wanted) : variable("Boolean!", wanted);
    return random.chance(0.5) ? `@include(if:${condition})` : `@skip(if:${condition})`;
  };

  /** Prefixes an alias; the same key never stands for two different fields of one type. */
  const keyed = (scope: string, field: string): string => {
    if (!random.chance(0.3)) return field;
    const alias = random.pick(aliases);
    const known = taken.get(`${scope}.${alias}`);
    if (known !== undefined && known !== field) return field;
    taken.set(`${scope}.${alias}`, field);
    return `${alias}:${field}`;
  };

  const fragment = (type: GraphQLObjectType, depth: number): string => {
    const inner = selections(type, depth + 1);
    const condition = forRouters ? "" : directive();
    if (random.chance(0.5)) return `...${random.pick([` on ${type.name}`, ""])}${condition}{${inner}}`;
    const name = `F${fragments.length}`;
    fragments.push(`fragment ${name} on ${type.name}{${inner}}`);
    return `...${name}${condition}`;
  };

  const writeField = (type: GraphQLObjectType, field: GraphQLField<unknown, unknown>, depth: number) => {
    const named = getNamedType(field.type);
    const below = isObjectType(named) ? `{${selections(named, depth + 1)}}` : "";
    const condition = directive();
    const isUnique = forRouters && (condition !== "" || isListType(getNullableType(field.type)));
    const name = isUnique ? `${field.name}_${(unique += 1)}:${field.name}` : keyed(type.name, field.name);
    return name + condition + below;
  };

  const selections = (type: GraphQLObjectType, depth: number): string => {
    // Types lead back to each other: somewhere it must end.
    const fields = Object.values(type.getFields()).filter(
      (field) => depth < (forRouters ? 3 : 2) || !isObjectType(getNamedType(field.type)),
    );
    // Behind routers something is always there: what an object without fields becomes is nobody's question here.
    const parts: string[] = forRouters || fields.length === 0 ? ["__typename"] : [];
    for (let count = 1 + random.below(6); count > 0 && fields.length > 0; count--) {
      if (depth < 3 && random.chance(0.2)) parts.push(fragment(type, depth));
      else if (random.chance(0.1)) parts.push(keyed(type.name, "__typename"));
      else parts.push(writeField(type, random.pick(fields), depth));
    }
    return parts.join(" ");
  };

  const argument = (type: string): string => {
    const values: readonly unknown[] = type === "ID!" ? ids : TEXTS;
    const value = random.pick(values);
    const written = JSON.stringify(value);
    if (random.chance(0.4)) return written;
    if (forRouters || random.chance(0.5)) return variable(type, value);
    // A default, which may be what counts, or stand beside an explicit null.
    const given = random.chance(0.5) ? undefined : random.pick([null, random.pick(values)]);
    return variable(`${type.replace(/!$/, "")}=${written}`, given);
  };

  /** A value of the scalar `_Any` written out, in which every value may be a variable. */
  const literal = (value: Record<string, unknown>): string => {
    if (random.chance(0.3)) return variable("_Any!", value);
    const members = Object.entries(value).map(([name, member]) => {
      const type = typeof member === "number" ? "Int" : "String";
      return `${name}:${random.chance(0.5) ? variable(type, member) : JSON.stringify(member)}`;
    });
    return `{${members.join()}}`;
  };

  const entities = (): string => {
    const keyOf = (key: string) => ({ __typename: "PlexSourceConnection", [key]: random.pick(ids) });
    const representations = Array.from({ length: random.below(5) }, () =>
      random.pick<Record<string, unknown>>([...KEYS, keyOf("pk"), keyOf("id")]),
    );
    const written = random.chance(0.5)
      ? variable("[_Any!]!", representations)
      : `[${representations.map(literal).join()}]`;
    const parts = ["PlexSourceConnection", "Source"].map(
      (name) => `... on ${name}{${selections(objectType(schema, name), 0)}}`,
    );
    return `_entities(representations:${written}){${random.pick([...parts, parts.join(" ")])} __typename}`;
  };

  const query = objectType(schema, "Query").getFields();
  const named = Object.values(query).filter(({ name }) => !name.startsWith("_"));
  const root = (index: number): string => {
    const alias = !forRouters && index === 0 && random.chance(0.05) ? "__proto__" : `r${index}`;
    if (random.chance(0.08)) return `${alias}:${forRouters ? "__typename" : "_service{__typename}"}`;
    if (!forRouters && random.chance(0.25)) return `${alias}:${entities()}`;
    const field = random.chance(forRouters ? 0.6 : 0.2) ? random.pick(named) : query["plexConnection"];
    if (field === undefined) throw new Error("the schema has no plexConnection");
    const args = field.args
      .filter(isRequiredArgument)
      .map(({ name, type }) => `${name}:${argument(String(type))}`);
    if (field.args.some(({ name }) => name === "first")) args.push(`first:${random.below(9)}`);
    const type = getNamedType(field.type);
    const below = isObjectType(type) ? `{${selections(type, 0)}}` : "";
    return `${alias}:${field.name}${args.length > 0 ? `(${args.join()})` : ""}${directive()}${below}`;
  };

  const roots = Array.from({ length: 1 + random.below(forRouters ? 6 : 4) }, (_, index) => root(index));
  const head = definitions.length > 0 ? `(${definitions.join()})` : "";
  return { query: `query Generated${head}{${roots.join(" ")}} ${fragments.join(" ")}`, variables };
}

function objectType(schema: GraphQLSchema, name: string): GraphQLObjectType {
  const type = schema.getType(name);
  if (!isObjectType(type)) throw new Error(`${name} is no object type`);
  return type;
}
