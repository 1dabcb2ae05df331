import { builder } from "./builder.ts";

// Values are checked where they enter, in the decode.ts of their resource, so nothing is left to do on the way out.
// The specification is said twice: for introspection, and for the subgraph printer, which knows directives only.

const UUID_SPECIFICATION = "https://www.rfc-editor.org/rfc/rfc9562";

builder.scalarType("UUID", {
  description: "A UUID in lower case with hyphens, such as `5eed0000-0000-4000-8000-00000000000a`.",
  specifiedByURL: UUID_SPECIFICATION,
  directives: { specifiedBy: { url: UUID_SPECIFICATION } },
  serialize: (value) => value,
});

const DATE_TIME_SPECIFICATION = "https://scalars.graphql.org/andimarek/date-time";

builder.scalarType("DateTime", {
  description: "A point in time as RFC 3339 text with its offset, such as `2024-09-12T08:31:22.104982Z`.",
  specifiedByURL: DATE_TIME_SPECIFICATION,
  directives: { specifiedBy: { url: DATE_TIME_SPECIFICATION } },
  serialize: (value) => value,
});
