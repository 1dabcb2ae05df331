import { getNamedType, isObjectType, type GraphQLObjectType, type GraphQLSchema } from "graphql";
import type { Random } from "../support/random.ts";

/** A valid operation with its variables. */
export interface GeneratedOperation {
  query: string;
  variables: Record<string, unknown>;
}

/** Response keys that objects have by themselves, and harmless ones. */
const ALIASES = [
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "then",
  "a",
  "b",
  "c",
  "_",
  "errors",
];

/** Keys from the directory, from beyond it, and ones that are none. */
const PKS = [1, 2, 3, 7, 14, 28, 41, 99, 100, 101, 2_147_483_647];

/** Writes one valid operation after the other over the schema: fragments, aliases, directives, variables. */
export function generateOperation(schema: GraphQLSchema, random: Random): GeneratedOperation {
  const variables: Record<string, unknown> = {};
  const definitions: string[] = [];
  const fragments: string[] = [];
  const taken = new Map<string, string>();

  const variable = (type: string, value: unknown): string => {
    const name = `v${definitions.length}`;
    definitions.push(`$${name}:${type}`);
    if (value !== undefined) variables[name] = value;
    return `$${name}`;
  };

  const conditional = random.chance(0.3);
  const aliases = random.chance(0.2) ? ALIASES : ALIASES.slice(1);

  const directive = (): string => {
    if (!conditional || !random.chance(0.15)) return "";
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

  const selections = (type: GraphQLObjectType, depth: number): string => {
    // Types lead back to each other: somewhere it must end.
    const fields = Object.values(type.getFields()).filter(
      (field) => depth < 2 || !isObjectType(getNamedType(field.type)),
    );
    if (fields.length === 0) return "__typename";
    const parts: string[] = [];
    for (let count = 1 + random.below(6); count > 0; count--) {
      if (depth < 3 && random.chance(0.2)) {
        const inner = selections(type, depth + 1);
        if (random.chance(0.5)) parts.push(`... on ${type.name}${directive()}{${inner}}`);
        else {
          const name = `F${fragments.length}`;
          fragments.push(`fragment ${name} on ${type.name}{${inner}}`);
          parts.push(`...${name}${directive()}`);
        }
      } else if (random.chance(0.1)) parts.push(keyed(type.name, "__typename"));
      else {
        const field = random.pick(fields);
        const named = getNamedType(field.type);
        const below = isObjectType(named) ? `{${selections(named, depth + 1)}}` : "";
        parts.push(keyed(type.name, field.name) + directive() + below);
      }
    }
    return parts.join(" ");
  };

  const connection = objectType(schema, "PlexSourceConnection");
  const source = objectType(schema, "Source");

  const rootField = (index: number): string => {
    const chance = random.next();
    if (chance < 0.6) {
      const pk = random.pick(PKS);
      const id = random.chance(0.1) ? random.pick(["0", "x", "", "05"]) : String(pk);
      const argument = random.pick([
        () => variable("ID!", id),
        () => JSON.stringify(id),
        // A default, which may be what counts, or stand beside an explicit null.
        () =>
          variable(
            `ID = ${JSON.stringify(id)}`,
            random.chance(0.5) ? undefined : random.chance(0.5) ? null : String(random.pick(PKS)),
          ),
      ])();
      const alias = random.chance(0.02) ? "__proto__" : `r${index}`;
      return `${alias}:plexConnection(id:${argument})${directive()}{${selections(connection, 0)}}`;
    }
    if (chance < 0.65) {
      const list = objectType(schema, "PlexSourceConnectionConnection");
      return `r${index}:plexConnections(first:${random.below(9)})${directive()}{${selections(list, 0)}}`;
    }
    if (chance < 0.9) {
      const representations = Array.from({ length: random.below(5) }, () => representation(random));
      const argument = random.chance(0.5)
        ? variable("[_Any!]!", representations)
        : `[${representations.map((value) => literal(value, variable, random)).join()}]`;
      const parts = [
        `... on PlexSourceConnection{${selections(connection, 0)}}`,
        `... on Source{${selections(source, 0)}}`,
        "__typename",
      ].filter(() => random.chance(0.8));
      return `r${index}:_entities(representations:${argument}){${parts.join(" ") || "__typename"}}`;
    }
    return random.chance(0.5) ? `r${index}:__typename` : `r${index}:_service{__typename}`;
  };

  const roots = Array.from({ length: 1 + random.below(4) }, (_, index) => rootField(index));
  const unique = roots.filter((field, index) => !field.startsWith("__proto__") || index === 0);
  const head = definitions.length > 0 ? `query(${definitions.join()})` : "query";
  return { query: `${head}{${unique.join(" ")}} ${fragments.join(" ")}`, variables };
}

/** A value of the scalar `_Any` written out, in which every value may be a variable. */
function literal(value: unknown, variable: (type: string, value: unknown) => string, random: Random): string {
  if (random.chance(0.3)) return variable("_Any!", value);
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(([name, member]) => {
    const type = typeof member === "number" ? "Int" : "String";
    const written = random.chance(0.5) ? variable(type, member) : JSON.stringify(member);
    return `${name}:${written}`;
  });
  return `{${members.join()}}`;
}

function representation(random: Random): unknown {
  const pk = random.pick(PKS);
  return random.pick<unknown>([
    { __typename: "PlexSourceConnection", pk },
    { __typename: "PlexSourceConnection", id: String(pk) },
    { __typename: "Source", pk: "5eed0000-0000-4000-8000-00000000000a" },
    { __typename: "Source", pk: "5eed0000-0000-4000-8000-0000000000ff" },
    { __typename: "PlexSourceConnection", pk: "x" },
    { __typename: "Nothing", pk },
    "text",
  ]);
}

function objectType(schema: GraphQLSchema, name: string): GraphQLObjectType {
  const type = schema.getType(name);
  if (!isObjectType(type)) throw new Error(`${name} is no object type`);
  return type;
}
