import { Pool } from "undici";
import { TOKEN } from "../support/gateway.ts";

/** The body of one operation that asks for these keys, one alias each. */
export function operation(ids: readonly number[]): string {
  const variables = Object.fromEntries(ids.map((id, index) => [`i${index}`, String(id)]));
  const declared = ids.map((_, index) => `$i${index}: ID!`).join(", ");
  const fields = ids.map((_, index) => `c${index}: plexConnection(id: $i${index}) { identifier }`).join(" ");
  return JSON.stringify({ query: `query (${declared}) { ${fields} }`, variables });
}

/** Keys 1 to `count`. */
export function firstIds(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}

/** A client that keeps its connections, and costs little itself. */
export function createPoster(
  url: URL,
  { connections }: { connections: number },
): {
  /** Sends every body, as many at once as there are connections; the answers' texts in order. */
  postAll(bodies: readonly string[]): Promise<string[]>;
  close(): Promise<void>;
} {
  const pool = new Pool(url.origin, { connections });
  return {
    async postAll(bodies) {
      const texts: string[] = [];
      let next = 0;
      const client = async (): Promise<void> => {
        for (let turn = next++; turn < bodies.length; turn = next++) {
          const answer = await pool.request({
            method: "POST",
            path: "/graphql",
            headers: { "content-type": "application/json", authorization: TOKEN },
            body: bodies[turn] ?? "",
          });
          texts[turn] = await answer.body.text();
        }
      };
      await Promise.all(Array.from({ length: connections }, client));
      return texts;
    },
    close: () => pool.close(),
  };
}
