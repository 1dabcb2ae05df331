/** The records that the compatibility suite expects of a `products` subgraph. */

export const dimension = { size: "small", weight: 1, unit: "kg" };

export const user = {
  email: "support@apollographql.com",
  name: "Jane Smith",
  totalProductsCreated: 1337,
  yearsOfEmployment: 10,
};
export type User = typeof user;

export const deprecatedProduct = {
  sku: "apollo-federation-v1",
  package: "@apollo/federation-v1",
  reason: "Migrate to Federation V2",
  createdBy: user,
};

/** Studies that have no outcome yet. */
const study = (caseNumber: string, description: string) => ({
  study: { caseNumber, description },
  outcome: null as string | null,
});
export const studies = [study("1234", "Federation Study"), study("1235", "Studio Study")] as const;

const product = (id: string, more: { sku: string; package: string; variation: { id: string } }) => ({
  ...more,
  id,
  dimensions: dimension,
  createdBy: user,
  notes: null as string | null,
});
export const products = [
  {
    ...product("apollo-federation", {
      sku: "federation",
      package: "@apollo/federation",
      variation: { id: "OSS" },
    }),
    research: [studies[0]],
  },
  {
    ...product("apollo-studio", { sku: "studio", package: "", variation: { id: "platform" } }),
    research: [studies[1]],
  },
];
