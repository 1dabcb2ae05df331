import { gzipSync } from "node:zlib";
import { ADVERSARIAL_DOCUMENTS, times } from "./adversarial-documents.ts";
import { postText } from "../support/raw-client.ts";

const FIELDS =
  "id pk user identifier created lastUpdated source{pk name slug enabled component verboseName managed icon}";

/** Requests made to cost much more than they cost their sender, as bytes; with a good credential where one helps. */
export function attacks(): [name: string, bytes: Buffer][] {
  const documents: Record<string, string> = {
    ...ADVERSARIAL_DOCUMENTS,
    "10,000 aliases": `{${times(10_000, (i) => `a${i}:plexConnection(id:${i + 1}){pk user}`)}}`,
    "1,000 aliases with all fields": `{${times(1_000, (i) => `a${i}:plexConnection(id:${i + 1}){...F}`)}} fragment F on PlexSourceConnection{${FIELDS}}`,
    "50,000 brackets": `{a(x:${"[".repeat(50_000)})}`,
    "50,000 directives": `{__typename ${"@a".repeat(50_000)}}`,
    "one name of 900 KB": `{${"x".repeat(900_000)}}`,
    "one text of 900 KB": `{plexConnection(id:"${"9".repeat(900_000)}"){pk}}`,
    "900 KB of comments": `{__typename #${"x".repeat(900_000)}\n}`,
  };
  const entities = "query($r:[_Any!]!){_entities(representations:$r){...on PlexSourceConnection{user}}}";
  const bodies: Record<string, string> = {
    "10,000 representations": `{"query":"${entities}","variables":{"r":${representations(10_000)}}}`,
    "1,000 representations under 600 aliases": JSON.stringify({
      query: `query($r:[_Any!]!){${times(600, (i) => `e${i}:_entities(representations:$r){__typename} `)}}`,
      variables: { r: JSON.parse(representations(1_000)) as unknown },
    }),
    "variables 200,000 deep": `{"query":"{__typename}","variables":{"a":${"[".repeat(200_000)}${"]".repeat(200_000)}}}`,
    "a representation 100,000 deep": `{"query":"${entities}","variables":{"r":[{"__typename":"Source","pk":${"[".repeat(100_000)}${"]".repeat(100_000)}}]}}`,
    "100,000 variables": JSON.stringify({
      query: "{__typename}",
      variables: Object.fromEntries(Array.from({ length: 60_000 }, (_, i) => [`v${i}`, i])),
    }),
    "100,000 operations in a list": `[${times(30_000, (i) => `${i === 0 ? "" : ","}{"query":"{a}"}`)}]`,
    "cut JSON": '{"query":"{__typename}","variables":{"a":"' + "x".repeat(500_000),
    "hashes of documents that are not there": JSON.stringify({
      extensions: { persistedQuery: { version: 1, sha256Hash: "a".repeat(64) } },
    }),
  };
  const gzip = gzipSync(Buffer.alloc(20 * 1024 * 1024, 0x20));
  const gzipHead = `POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: ${gzip.length}\r\nConnection: close\r\n\r\n`;
  const authorization = ["Authorization: Bearer attacker"];
  return [
    ...Object.entries(documents).map(([name, query]): [string, Buffer] => [
      name,
      Buffer.from(postText(JSON.stringify({ query }), authorization)),
    ]),
    ...Object.entries(bodies).map(([name, body]): [string, Buffer] => [
      name,
      Buffer.from(postText(body, authorization)),
    ]),
    ["a compressed body of 20 MB", Buffer.concat([Buffer.from(gzipHead), gzip])],
    [
      "invalid UTF-8",
      Buffer.concat([Buffer.from(postText("xxxx")).subarray(0, -4), Buffer.from([0xff, 0xfe, 0xc0, 0x80])]),
    ],
  ];
}

function representations(count: number): string {
  return `[${times(count, (i) => `${i === 0 ? "" : ","}{"__typename":"PlexSourceConnection","pk":${i + 1}}`)}]`;
}
