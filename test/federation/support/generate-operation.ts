import {
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isListType,
  isObjectType,
  isRequiredArgument,
} from "graphql";
import { createRandom, type Random } from "../../support/random.ts";

/** One operation that the schema allows. */
export interface GeneratedOperation {
  query: string;
  variables: Record<string, unknown>;
}

/** What is collected while an operation is written. */
interface Draft {
  random: Random;
  ids: readonly unknown[];
  variables: Record<string, unknown>;
  declarations: string[];
  fragments: string[];
  /** Aliases so far that are used only once. */
  aliases: number;
}

/**
 * Writes an operation over all that the query language has: aliases, literals and variables, inline and named
 * fragments, `@skip` and `@include`, merged fields. The same seed writes the same operation.
 * @param options.ids what is asked for by `id` arguments
 */
export function generateOperation(
  schema: GraphQLSchema,
  options: { seed: number; ids: readonly unknown[] },
): GeneratedOperation {
  const draft: Draft = {
    random: createRandom(options.seed),
    ids: options.ids,
    variables: {},
    declarations: [],
    fragments: [],
    aliases: 0,
  };
  const query = schema.getQueryType();
  const fields = Object.values(query?.getFields() ?? {}).filter((field) => !field.name.startsWith("_"));
  const roots = Array.from({ length: 1 + draft.random.below(6) }, (_, index) => {
    const field = draft.random.pick(fields);
    const args = field.args
      .filter(isRequiredArgument)
      .map((arg) => `${arg.name}: ${writeArgument(String(arg.type), draft)}`);
    const type = getNamedType(field.type);
    const selection = isObjectType(type) ? writeSelection(type, draft) : "";
    return `f${index}: ${field.name}${args.length > 0 ? `(${args.join(", ")})` : ""} ${selection}`;
  });
  if (draft.random.chance(0.2)) roots.push("__typename");
  const declared = draft.declarations.length > 0 ? `(${draft.declarations.join(", ")})` : "";
  return {
    query: `query Generated${declared} { ${roots.join(" ")} } ${draft.fragments.join(" ")}`,
    variables: draft.variables,
  };
}

function writeArgument(type: string, draft: Draft): string {
  const value = draft.random.pick(type === "ID!" ? draft.ids : TEXTS);
  if (draft.random.chance(0.5)) return JSON.stringify(value);
  return declare(type, value, draft);
}

/** What other arguments are asked with: slugs and user names. */
const TEXTS: readonly string[] = ["plex", "nope", "alice"];

function declare(type: string, value: unknown, draft: Draft): string {
  const name = `v${draft.declarations.length}`;
  draft.declarations.push(`$${name}: ${type}`);
  draft.variables[name] = value;
  return `$${name}`;
}

/** Objects below objects, at the most: types lead back to each other. */
const MAX_DEPTH = 4;

function writeSelection(type: GraphQLObjectType, draft: Draft, depth = 1): string {
  const { random } = draft;
  const fields = Object.values(type.getFields()).filter(
    (field) => depth < MAX_DEPTH || !isObjectType(getNamedType(field.type)),
  );
  // One field that is always there: what an object without fields becomes is nobody's question here.
  const parts = ["__typename"];
  for (let count = 1 + random.below(Math.min(6, fields.length)); count > 0 && fields.length > 0; count -= 1) {
    const field = random.pick(fields);
    const inner = getNamedType(field.type);
    const selection = isObjectType(inner) ? ` ${writeSelection(inner, draft, depth + 1)}` : "";
    const condition = writeCondition(draft);
    parts.push(
      wrap(`${writeAlias(field, condition, draft)}${field.name}${condition}${selection}`, type, draft),
    );
  }
  return `{ ${parts.join(" ")} }`;
}

/**
 * Fields may meet under one response key and are merged then. Two kinds never do, since routers answer them wrongly
 * whatever the subgraph is: a field with a condition beside the same one without (Hive Gateway 2.15.1 drops both),
 * and lists (router-runtime 1.4.23 joins them end to end).
 */
function writeAlias(field: GraphQLField<unknown, unknown>, condition: string, draft: Draft): string {
  if (condition !== "" || isListType(getNullableType(field.type))) {
    draft.aliases += 1;
    return `${field.name}_${draft.aliases}: `;
  }
  return draft.random.chance(0.3) ? `${field.name}${draft.random.below(3)}: ` : "";
}

function writeCondition(draft: Draft): string {
  if (!draft.random.chance(0.15)) return "";
  const directive = draft.random.pick(["skip", "include"]);
  const value = draft.random.chance(0.5);
  return ` @${directive}(if: ${draft.random.chance(0.5) ? value : declare("Boolean!", value, draft)})`;
}

function wrap(field: string, type: GraphQLObjectType, draft: Draft): string {
  const kind = draft.random.below(8);
  if (kind === 0) return `... on ${type.name} { ${field} }`;
  if (kind === 1) return `... { ${field} }`;
  if (kind > 2) return field;
  const name = `P${draft.fragments.length}`;
  draft.fragments.push(`fragment ${name} on ${type.name} { ${field} }`);
  return `...${name}`;
}
