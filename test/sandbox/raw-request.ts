import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { buffer } from "node:stream/consumers";

/** A response as it came over the wire. */
export interface RawResponse {
  status: number | undefined;
  /** Names in lower case; values of a repeated name with a comma between them. */
  headers: Map<string, unknown>;
  body: Buffer;
}

/** Sends a request with the path and the headers to the letter, which fetch does not do for odd and repeated ones. */
export async function sendRaw(
  {
    method,
    path,
    headers,
  }: { method: string; path: string; headers: readonly (readonly [string, string])[] },
  { url }: { url: URL },
): Promise<RawResponse> {
  const sent = request(url, { method, path, headers: [["Host", url.host], ...headers].flat() }).end();
  const [response] = (await once(sent, "response")) as [IncomingMessage]; // what node:http documents of the event
  const body = await buffer(response);
  return { status: response.statusCode, headers: new Map(Object.entries(response.headers)), body };
}
