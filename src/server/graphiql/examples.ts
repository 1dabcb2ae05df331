/** What the tabs hold when GraphiQL is opened for the first time; a tab is called after its operation. */
export const EXAMPLES: readonly string[] = [
  `query OneConnection {
  # Who is linked to which Plex account,
  # and through which source.
  plexConnection(id: "5") {
    id
    user
    identifier
    created
    source {
      pk
      name
      slug
      enabled
      userMatchingMode
      policyEngineMode
    }
  }
}`,
  `query SeveralConnections {
  # Several connections in one operation, by aliases.
  # The gateway spares authentik what calls it can.
  first: plexConnection(id: 5) {
    ...Link
  }
  second: plexConnection(id: 6) {
    ...Link
  }
  third: plexConnection(id: 7) {
    ...Link
  }
}

fragment Link on PlexSourceConnection {
  id
  user
  identifier
  source {
    name
  }
}`,
  `query Errors {
  # null and no error: there is no such connection,
  # or you may not see it.
  nobody: plexConnection(id: 999) {
    id
  }
  # No id at all: BAD_USER_INPUT for this alias.
  # The others still answer.
  badId: plexConnection(id: "abc") {
    id
  }
  fine: plexConnection(id: 5) {
    id
    identifier
  }
}`,
  `query Federation {
  # What a router asks: entities by their keys
  # (the last one is none) and the subgraph's SDL.
  _entities(
    representations: [
      { __typename: "PlexSourceConnection", pk: 5 }
      { __typename: "PlexSourceConnection", id: "6" }
      { __typename: "PlexSourceConnection", pk: -1 }
    ]
  ) {
    __typename
    ... on PlexSourceConnection {
      identifier
      user
      source {
        name
      }
    }
  }
  _service {
    sdl
  }
}`,
];
