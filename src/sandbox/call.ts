import { refuse } from "./answer.ts";
import type { Refusal } from "./answer.ts";
import type { Directory, User } from "./directory.ts";
import type { Query } from "./query.ts";
import type { ReleaseTraits } from "./releases.ts";

/** One request to a route of the API, after its credentials were read. */
export interface Call {
  /** null for anonymous callers. */
  caller: User | null;
  /** The part of the path that names one object; empty for lists. */
  key: string;
  query: Query;
  directory: Directory;
  traits: ReleaseTraits;
}

/** 404 for an object that is not there, in the words of the release. */
export function notFound(modelName: string, { restFramework }: ReleaseTraits): Refusal {
  return refuse(404, restFramework === "3.16" ? `No ${modelName} matches the given query.` : "Not found.");
}
