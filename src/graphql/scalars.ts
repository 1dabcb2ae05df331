import { builder } from "./builder.ts";

// Values are checked where they enter, in the wire.ts of their resource, so nothing is left to do on the way out.
builder.scalarType("UUID", {
  description: "A UUID in lower case with hyphens, such as `5eed0000-0000-4000-8000-00000000000a`.",
  specifiedByURL: "https://www.rfc-editor.org/rfc/rfc9562",
  serialize: (value) => value,
});

builder.scalarType("DateTime", {
  description: "A point in time as RFC 3339 text with its offset, such as `2024-09-12T08:31:22.104982Z`.",
  specifiedByURL: "https://scalars.graphql.org/andimarek/date-time",
  serialize: (value) => value,
});
