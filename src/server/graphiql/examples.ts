// Lines are short enough for a phone. No key is needed that an authentik may not have: what is asked for by a number is
// answered with an empty list by those that do not know it.
const PLEX_ACCOUNT = "12345678";

/**
 * What people ask first, in this order: what the tabs hold when GraphiQL is opened for the first time, with the text of
 * the variables editor. Tabs are called after their operations.
 */
export const EXAMPLES: readonly { query: string; variables?: string }[] = [
  {
    query: `query MyLinks {
  # Whose token this is, and which
  # Plex accounts are linked.
  authentikViewer {
    username
    plexConnections {
      identifier
      source {
        name
      }
    }
  }
}`,
  },
  {
    query: `query PlexAccount($id: ID!) {
  # Who is this Plex account? Its
  # number goes under Variables.
  plexAccount(id: $id) {
    plexConnections {
      owner {
        username
        name
      }
      source {
        name
      }
      lastUpdated
    }
  }
  # Some numbers to try.
  plexConnections(
    first: 3
    sort: LAST_UPDATED_DESC
  ) {
    nodes {
      identifier
    }
  }
}`,
    variables: JSON.stringify({ id: PLEX_ACCOUNT }, null, 2),
  },
  {
    query: `query LinksOfSources {
  # All links of a source, with names.
  # One alone: plexSource(slug: "…")
  plexSources {
    name
    slug
    plexConnections(first: 20) {
      totalCount
      nodes {
        identifier
        owner {
          username
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
}`,
  },
  {
    query: `query NotLinked {
  # Who is not linked has no
  # connections here.
  authentikUsers(first: 20) {
    totalCount
    nodes {
      username
      plexConnections {
        id
      }
    }
  }
}`,
  },
  {
    query: `query Federation(
  $representations: [_Any!]!
) {
  # What a router asks: entities by
  # their keys, under Variables. The
  # last one is none: it alone gets
  # an error.
  _entities(
    representations: $representations
  ) {
    __typename
    ... on PlexAccount {
      id
      plexConnections {
        owner {
          username
        }
      }
    }
    ... on PlexSourceConnection {
      identifier
    }
  }
  # The SDL that it composes.
  _service {
    sdl
  }
}`,
    variables: JSON.stringify(
      {
        representations: [
          { __typename: "PlexAccount", id: PLEX_ACCOUNT },
          { __typename: "PlexSourceConnection", pk: -1 },
        ],
      },
      null,
      2,
    ),
  },
];
