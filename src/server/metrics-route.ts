import type { IncomingMessage, ServerResponse } from "node:http";
import { combineSnapshots, expose, EXPOSITION_CONTENT_TYPE } from "../metrics/exposition.ts";
import type { MetricsSnapshot } from "../metrics/families.ts";

/** `/metrics`: the numbers of all workers as one. `collect` never rejects. */
export function createMetricsRoute(
  collect: () => Promise<readonly MetricsSnapshot[]>,
): (request: IncomingMessage, response: ServerResponse) => void {
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.writeHead(405, { Allow: "GET, HEAD" }).end();
      return;
    }
    const text = expose(combineSnapshots(await collect()));
    response.writeHead(200, { "Content-Type": EXPOSITION_CONTENT_TYPE, "Cache-Control": "no-store" });
    response.end(request.method === "HEAD" ? undefined : text);
  };
  return (request, response) => void answer(request, response);
}
