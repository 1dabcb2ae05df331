import { gzipSync } from "node:zlib";
import { ADVERSARIAL_DOCUMENTS, representations, times } from "./adversarial-documents.ts";
import { postText } from "../support/raw-client.ts";

const FIELDS =
  "id pk user identifier created lastUpdated source{pk name slug enabled component verboseName managed icon}";
const ENTITIES = "query($r:[_Any!]!){_entities(representations:$r){...on PlexSourceConnection{user}}}";

/** Requests made to cost much more than they cost their sender, as bytes; with a good credential where one helps. */
export function attacks(): [name: string, bytes: string | Buffer][] {
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
  const bodies: Record<string, string> = {
    "10,000 representations": JSON.stringify({ query: ENTITIES, variables: { r: representations(10_000) } }),
    "1,000 representations under 600 aliases": JSON.stringify({
      query: `query($r:[_Any!]!){${times(600, (i) => `e${i}:_entities(representations:$r){__typename} `)}}`,
      variables: { r: representations(1_000) },
    }),
    "variables 200,000 deep": `{"query":"{__typename}","variables":{"a":${"[".repeat(200_000)}${"]".repeat(200_000)}}}`,
    "a representation 100,000 deep": `{"query":"${ENTITIES}","variables":{"r":[{"__typename":"Source","pk":${"[".repeat(100_000)}${"]".repeat(100_000)}}]}}`,
    "60,000 variables": `{"query":"{__typename}","variables":{"v":0${times(60_000, (i) => `,"v${i}":${i}`)}}}`,
    "30,000 operations in a list": `[${Array(30_000).fill('{"query":"{a}"}').join()}]`,
    "cut JSON": '{"query":"{__typename}","variables":{"a":"' + "x".repeat(500_000),
    "hashes of documents that are not there": `{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"${"a".repeat(64)}"}}}`,
  };
  const gzip = gzipSync(Buffer.alloc(20 * 1024 * 1024, 0x20));
  const gzipHead = `POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: ${gzip.length}\r\nConnection: close\r\n\r\n`;
  for (const [name, query] of Object.entries(documents)) bodies[name] = JSON.stringify({ query });
  const noUtf8 = Buffer.from(postText("xxxx").replace("xxxx", "\xff\xfe\xc0\x80"), "latin1");
  return [
    ...Object.entries(bodies).map(([name, body]): [string, string] => [
      name,
      postText(body, ["Authorization: Bearer attacker"]),
    ]),
    ["a compressed body of 20 MB", Buffer.concat([Buffer.from(gzipHead), gzip])],
    ["invalid UTF-8", noUtf8],
  ];
}
