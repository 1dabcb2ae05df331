import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Pool } from "undici";

/** The least a gateway can do: no GraphQL, one REST call for each POST. The yardstick of what the machine can do now. */
export async function startBareProxy(authentikUrl: URL): Promise<{ url: URL; close(): Promise<void> }> {
  const pool = new Pool(authentikUrl.origin, { connections: 64 });
  const relay = async (text: string, authorization: string, response: ServerResponse): Promise<void> => {
    // The test posts nothing else.
    const { variables } = JSON.parse(text) as { variables: { i0: string } };
    const path = `/api/v3/sources/user_connections/plex/${variables.i0}/`;
    const answer = await pool.request({ method: "GET", path, headers: { authorization } });
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ data: await answer.body.json() }));
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on(
      "end",
      () => void relay(Buffer.concat(chunks).toString(), request.headers.authorization ?? "", response),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // listen(0) on TCP gives an address with a port.
  const { port } = server.address() as AddressInfo;
  return {
    url: new URL(`http://127.0.0.1:${port}`),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await pool.close();
    },
  };
}
