/** What every client sends. */
export const ONE = "query One($id: ID!) { plexConnection(id: $id) { identifier user } }";
export const SIBLINGS =
  'query Siblings { a: plexConnection(id: 5) { user } bad: plexConnection(id: "abc") { user } b: plexConnection(id: 6) { user } }';
