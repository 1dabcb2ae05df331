/**
 * The least a gateway on Node can do: read the POST, make the REST calls its ids ask for through undici, send the
 * parsed answers back as JSON. No GraphQL: the ids are read from the variables, whatever the query says.
 */
import { createServer } from "node:http";
import { request } from "undici";
import { connectionPath, peerSettings } from "./settings.mjs";

const { upstreamUrl, port } = peerSettings();

/** @param {unknown} id @param {string} authorization */
async function retrieve(id, authorization) {
  const { body } = await request(`${upstreamUrl}${connectionPath(Number(id))}`, {
    headers: { authorization, accept: "application/json" },
  });
  return body.json();
}

createServer((incoming, response) => {
  const chunks = [];
  incoming.on("data", (chunk) => chunks.push(chunk));
  incoming.on("end", async () => {
    const { variables } = JSON.parse(Buffer.concat(chunks).toString());
    const authorization = incoming.headers.authorization ?? "";
    const ids = [...new Set(Object.values(variables))];
    const rows = await Promise.all(ids.map((id) => retrieve(id, authorization)));
    const body = JSON.stringify({ data: rows.length === 1 ? rows[0] : rows });
    response
      .writeHead(200, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) })
      .end(body);
  });
}).listen(port, "127.0.0.1");
