import { times } from "./adversarial-documents.ts";
import { askBody } from "../support/ask.ts";
import type { ServerProcess } from "./support/child.ts";
import { residentBytes } from "./support/gateway-process.ts";

/** Documents of 100 KB, all different: some valid and kept, some refused, some barely documents. */
function largeDocument(index: number): string {
  switch (index % 4) {
    case 0:
      return `query Q${index}{__typename} #${"x".repeat(100_000)}`;
    case 1:
      return `query Q${index}{${times(900, (k) => `a${k}:plexConnection(id:${k + 1}){pk id}`)}} #${"y".repeat(60_000)}`;
    case 2:
      return `query Q${index}{${times(9_000, (k) => `a${k}_${index}:x `)}}`;
    default:
      return `query Q${index}{${times(6_000, (k) => `nothing${k}_${index} `)}}`;
  }
}

/** Sends so many of them, four at a time, and tells the most memory that the process had. */
export async function sendLargeDocuments(gateway: ServerProcess, count: number): Promise<number> {
  let most = 0;
  let next = 0;
  const client = async (): Promise<void> => {
    while (next < count) {
      const query = largeDocument(next++);
      await askBody(gateway.url, JSON.stringify({ query }), { authorization: null });
      most = Math.max(most, residentBytes(gateway));
    }
  };
  await Promise.all([client(), client(), client(), client()]);
  return most;
}
