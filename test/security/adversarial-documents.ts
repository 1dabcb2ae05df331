/** Documents made to cost much: each close to the default limit of 15,000 tokens, or above another limit. */
export const ADVERSARIAL_DOCUMENTS: Readonly<Record<string, string>> = {
  "1,000 aliases with all fields": `{${times(1_000, (i) => `a${i}:plexConnection(id:${i + 1}){...F}`)}} fragment F on PlexSourceConnection{id pk user identifier created lastUpdated source{pk name slug enabled component icon}}`,
  "7,000 equal fields": `{${times(7_000, () => "__typename ")}}`,
  "equal fields just below every limit": `{a{${times(90, (k) => times(18, () => `k${k} `))}}}`,
  "equal sets just below every limit": `{a{${times(18, () => `x{${times(60, (k) => `k${k} `)}}`)}}}`,
  "an exponential fragment bomb":
    `{...F0}` +
    times(90, (i) => `fragment F${i} on Query{a{...F${i + 1}} b{...F${i + 1}}}`) +
    "fragment F90 on Query{a}",
  "100 fragments of equal fields, each pair to compare":
    `{${times(99, (i) => `...F${i} `)}}` +
    times(99, (i) => `fragment F${i} on Query{${times(19, () => `x `)} ${times(100, (k) => `y${k} `)}}`),
  "introspection aliases through fragments": `{${times(50, (i) => `a${i}:__schema{...S} `)}} fragment S on __Schema{types{...T}} fragment T on __Type{n:name}`,
  "a list of 14,000 numbers compared 20 times": `{${times(19, () => `a(x:[${"1 ".repeat(700)}])`)}}`,
  "50 operations over 90 fragments with variables":
    times(50, (i) => `query Q${i}($v:ID!){...F0}`) +
    times(
      90,
      (i) =>
        `fragment F${i} on Query{...F${i + 1} ${times(6, (k) => `a${i}_${k}:plexConnection(id:$v){pk}`)}}`,
    ) +
    "fragment F90 on Query{a}",
  "3,000 variables": `query(${times(3_000, (i) => `$v${i}:Int `)}){a}`,
};

/** `count` texts, one after the other. */
export function times(count: number, text: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => text(index)).join("");
}

/** The first `count` of a type's keys. */
export function representations(count: number, __typename = "PlexSourceConnection"): object[] {
  return Array.from({ length: count }, (_, index) => ({ __typename, pk: index + 1 }));
}
