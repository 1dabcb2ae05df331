/**
 * What every peer is told by the benchmark, through the environment.
 * @returns {{ upstreamUrl: string, port: number }} the REST API's origin, and the port of 127.0.0.1 to listen on
 */
export function peerSettings() {
  const { UPSTREAM_URL, PORT } = process.env;
  if (!UPSTREAM_URL || !PORT) throw new Error("set UPSTREAM_URL and PORT");
  return { upstreamUrl: UPSTREAM_URL, port: Number(PORT) };
}

/** The path of one connection. @param {string | number} id */
export function connectionPath(id) {
  return `/api/v3/sources/user_connections/plex/${id}/`;
}
