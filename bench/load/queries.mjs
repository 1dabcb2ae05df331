/** The operations, in the words of each peer's graph. */

/**
 * How a peer names things.
 * @typedef {{ rootField: string, idType: "ID!" | "Int!", snake: boolean }} Dialect
 */

/** The graph of ours and of the peers written by hand. @type {Dialect} */
export const OUR_DIALECT = { rootField: "plexConnection", idType: "ID!", snake: false };

const CONNECTION_FIELDS = ["pk", "user", "identifier", "created", "lastUpdated"];
const SOURCE_FIELDS = [
  "pk name slug enabled authenticationFlow enrollmentFlow userPropertyMappings groupPropertyMappings component",
  "verboseName verboseNamePlural metaModelName policyEngineMode userMatchingMode managed userPathTemplate icon",
].flatMap((line) => line.split(" "));

/** @param {string} name */
export function toSnake(name) {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** @param {Dialect} dialect */
export function sourceField({ snake }) {
  return snake ? "source_obj" : "source";
}

/** @param {Dialect} dialect @param {"one" | "all"} fields */
function selection(dialect, fields) {
  if (fields === "one") return "{ identifier }";
  const named = (names) => names.map(dialect.snake ? toSnake : String).join(" ");
  return `{ ${named(CONNECTION_FIELDS)} ${sourceField(dialect)} { ${named(SOURCE_FIELDS)} } }`;
}

/**
 * One operation over as many aliases as there are ids; a single one has no alias.
 * @param {Dialect} dialect
 * @param {{ ids: readonly number[], fields: "one" | "all" }} options
 * @returns {string} the request body
 */
export function operation(dialect, { ids, fields }) {
  const chosen = selection(dialect, fields);
  const number = dialect.idType === "Int!";
  const variables = Object.fromEntries(ids.map((id, i) => [`i${i}`, number ? id : String(id)]));
  const root = (i) => `${dialect.rootField}(id: $i${i}) ${chosen}`;
  const query = `query Connections(${ids.map((_, i) => `$i${i}: ${dialect.idType}`).join(", ")}) { ${
    ids.length === 1 ? root(0) : ids.map((_, i) => `c${i}: ${root(i)}`).join(" ")
  } }`;
  return JSON.stringify({ query, variables });
}

/** Numbers in an order that is the same in every run. @param {number} seed */
export function createRandom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/**
 * @param {number} count
 * @param {number} upTo
 * @param {() => number} random
 * @returns {number[]} different numbers from 1 to `upTo`, as many as there are
 */
export function distinctIds(count, upTo, random) {
  const chosen = new Set();
  while (chosen.size < Math.min(count, upTo)) chosen.add(1 + Math.floor(random() * upTo));
  return [...chosen];
}

/** @param {Dialect} dialect @param {{ count: number, directory: number, random: () => number }} options */
export function randomOperation(dialect, { count, directory, random }) {
  return operation(dialect, { ids: distinctIds(count, directory, random), fields: "one" });
}
