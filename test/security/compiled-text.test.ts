import { afterAll, beforeAll, expect, test } from "vitest";
import { startFakeAuthentik, type FakeAuthentik } from "../support/fake-authentik.ts";
import { startGateway, type TestGateway } from "../support/gateway.ts";
import { ask } from "./support/ask.ts";

/*
 * Operations that come again are compiled to code: no text of theirs may become a part of it.
 */

let authentik: FakeAuthentik;
let gateway: TestGateway;
beforeAll(async () => {
  authentik = await startFakeAuthentik();
  gateway = await startGateway({ authentikUrl: authentik.url });
});
afterAll(async () => {
  await gateway.close();
  await authentik.close();
});

const HOSTILE = [
  '"',
  "'",
  "`",
  "\\",
  '\\"',
  "${globalThis.pwned=1}",
  "`+(globalThis.pwned=1)+`",
  '"+(globalThis.pwned=1)+"',
  "'+(globalThis.pwned=1)+'",
  "');globalThis.pwned=1;('",
  '");globalThis.pwned=1;("',
  "*/globalThis.pwned=1;/*",
  "//\n;globalThis.pwned=1;\n",
  "\u2028globalThis.pwned=1\u2029",
  "</script>",
  "__proto__",
];

const operations = (text: string): string[] => {
  const literal = JSON.stringify(text);
  const block = `"""${text.replaceAll('"', "")} """`;
  return [
    `{plexConnection(id:${literal}){pk}}`,
    `{plexConnection(id:${block}){pk}}`,
    `query($id:ID!=${literal}){plexConnection(id:$id){pk}}`,
    `{_entities(representations:[{__typename:"PlexSourceConnection",pk:${literal}}]){__typename}}`,
    `{_entities(representations:[{__typename:${literal},pk:5,x:{y:[${literal},${block}]}}]){__typename}}`,
    `query($r:[_Any!]!=[{__typename:${literal}}]){_entities(representations:$r){__typename}}`,
  ];
};

test.each(HOSTILE.flatMap(operations))("%j", async (query) => {
  for (let round = 0; round < 4; round++) {
    const { codes } = await ask(gateway.url, query);
    expect(codes).toEqual(["BAD_USER_INPUT"]);
  }
  expect(Object.hasOwn(globalThis, "pwned")).toBe(false);
});
