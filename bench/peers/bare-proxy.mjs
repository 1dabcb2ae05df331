/**
 * The least a gateway on Node can do: read the POST, make the REST calls its ids ask for through undici, send the
 * parsed answers back as JSON. No GraphQL: the ids are read from the variables, whatever the query says.
 */
import { createServer } from "node:http";
import { connectionPath, getJson, peerSettings } from "./graph.mjs";

createServer((incoming, response) => {
  const chunks = [];
  incoming.on("data", (chunk) => chunks.push(chunk));
  incoming.on("end", () => {
    void proxied(JSON.parse(Buffer.concat(chunks).toString()), incoming.headers.authorization ?? "").then(
      (body) =>
        response
          .writeHead(200, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) })
          .end(body),
      () => response.writeHead(502).end(),
    );
  });
}).listen(peerSettings().port, "127.0.0.1");

/** @returns {Promise<string>} */
async function proxied({ variables }, authorization) {
  const ids = [...new Set(Object.values(variables))];
  const rows = await Promise.all(ids.map((id) => getJson(connectionPath(id), authorization)));
  return JSON.stringify({ data: rows.length === 1 ? rows[0] : rows });
}
