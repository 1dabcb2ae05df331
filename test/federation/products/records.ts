/** The records that the compatibility suite expects of a `products` subgraph. */

export interface Variation {
  id: string;
}

export interface Dimension {
  size: string;
  weight: number;
  unit: string;
}

export interface CaseStudy {
  caseNumber: string;
  description: string;
}

export interface Research {
  study: CaseStudy;
  outcome: string | null;
}

export interface User {
  email: string;
  name: string;
  totalProductsCreated: number;
  yearsOfEmployment: number;
}

export interface DeprecatedProduct {
  sku: string;
  package: string;
  reason: string;
  createdBy: User;
}

export interface Product {
  id: string;
  sku: string;
  package: string;
  variation: Variation;
  dimensions: Dimension;
  createdBy: User;
  notes: string | null;
  research: Research[];
}

export const dimension: Dimension = { size: "small", weight: 1, unit: "kg" };

export const user: User = {
  email: "support@apollographql.com",
  name: "Jane Smith",
  totalProductsCreated: 1337,
  yearsOfEmployment: 10,
};

export const deprecatedProduct: DeprecatedProduct = {
  sku: "apollo-federation-v1",
  package: "@apollo/federation-v1",
  reason: "Migrate to Federation V2",
  createdBy: user,
};

export const federationStudy: Research = {
  study: { caseNumber: "1234", description: "Federation Study" },
  outcome: null,
};
export const studioStudy: Research = {
  study: { caseNumber: "1235", description: "Studio Study" },
  outcome: null,
};

export const products: readonly Product[] = [
  {
    id: "apollo-federation",
    sku: "federation",
    package: "@apollo/federation",
    variation: { id: "OSS" },
    dimensions: dimension,
    createdBy: user,
    notes: null,
    research: [federationStudy],
  },
  {
    id: "apollo-studio",
    sku: "studio",
    package: "",
    variation: { id: "platform" },
    dimensions: dimension,
    createdBy: user,
    notes: null,
    research: [studioStudy],
  },
];
