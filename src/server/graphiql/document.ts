import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { Credentials } from "../credentials.ts";
import { EXAMPLES } from "./examples.ts";

const ICON =
  "data:image/svg+xml," +
  encodeURIComponent(
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#fd4b2d"/>' +
      '<path d="M16 6 25 11v10l-9 5-9-5V11z" fill="none" stroke="#fff" stroke-width="3" stroke-linejoin="round"/></svg>',
  );

/** What the page is made of. */
export interface DocumentOptions extends AccessOptions {
  /** What it loads, in the order in which it must run. */
  files: readonly PageFile[];
  /** Where the files are, relative to the page. */
  folder: string;
}

/**
 * The HTML document for one view after the other. Nothing that is not fixed text is in it but as JSON.
 * @returns a response for a nonce that is fresh for every view: only elements that carry it run or style
 */
export function createDocument({ files, folder, ...access }: DocumentOptions) {
  const { label, lead, summary, body, credential } = explain(access);
  const headers = credential && JSON.stringify({ Authorization: `Bearer ${credential}` }, null, 2);
  // Nothing in it can end the element or begin a comment.
  const options = JSON.stringify({ headers: headers ?? "", examples: EXAMPLES }).replaceAll("<", "\\u003c");
  return (nonce: string) => ({
    status: 200,
    headers: headersOf(nonce),
    body: `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>authentik-graphql · GraphiQL</title>
<link rel="icon" href="${ICON}">
${files.map(({ kind, name }) => tagFor(kind, { url: folder + name, nonce })).join("\n")}
</head>
<body>
<header class="note">
<p><strong>${label}</strong> ${lead}</p>
<details><summary>${summary}</summary><div>${body}</div></details>
</header>
<main id="graphiql"><p class="waiting">GraphiQL is loading…</p></main>
<noscript><p class="waiting">GraphiQL needs JavaScript. The graph itself answers at this address to JSON by POST.</p></noscript>
<script type="application/json" id="graphiql-options">${options}</script>
</body>
</html>
`,
  });
}

function tagFor(kind: PageFile["kind"], { url, nonce }: { url: string; nonce: string }): string {
  if (kind === "style") return `<link rel="stylesheet" nonce="${nonce}" href="${url}">`;
  const order = kind === "module" ? 'type="module"' : "defer";
  return `<script ${order} nonce="${nonce}" src="${url}"></script>`;
}

/**
 * The document holds a token: nothing but its own files runs in it, it talks to its own origin only, nobody may frame
 * it, keep it, or learn its address from it.
 */
function headersOf(nonce: string): Record<string, string> {
  const policy = {
    "default-src": "'none'",
    "script-src": `'nonce-${nonce}'`,
    "style-src": `'nonce-${nonce}'`,
    "img-src": "data:",
    "font-src": "data:",
    "connect-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
  };
  return {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": Object.entries(policy)
      .map((directive) => directive.join(" "))
      .join("; "),
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "referrer-policy": "no-referrer",
    vary: "Accept",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
  };
}

/** Decides what the page says about the `Authorization` header. */
export interface AccessOptions {
  /** Token of the embedded sandbox, shown on the page; null where a real authentik answers. */
  sandboxToken: string | null;
  /** What callers must show; no secret of it gets into the page. */
  credentials: Credentials;
}

interface Explanation {
  label: string;
  /** One short sentence, for phones. */
  lead: string;
  summary: string;
  body: string;
  /** What to write after `Bearer` in the headers editor, or null where no header is needed. */
  credential: string | null;
}

const SANDBOX = {
  label: "Sandbox",
  lead: "Invented people answer, not your authentik.",
  summary: "Other tokens, or your own",
  body: `<p>Replace the token under <b>Headers</b> and run a query again:</p>
<ul>
<li>The one that is filled in sees everybody's links.</li>
<li><code>token-of-alice</code> sees her own two links and no other.</li>
<li><code>token-of-bob</code> sees his own link and no other.</li>
<li><code>expired-token-of-alice</code> is refused with <code>UNAUTHENTICATED</code>.</li>
</ul>
<p>To ask your own authentik, start the gateway with <code>AUTHENTIK_URL=https://id.example.org</code>. Then an API token
goes there, or an access token of an OAuth2 provider with the scope <code>goauthentik.io/api</code>.</p>`,
};

const CALLER: Explanation = {
  label: "Your token",
  lead: "You see what authentik lets you see.",
  summary: "Where to get a token",
  credential: "<paste an authentik API token>",
  body: `<ol>
<li>In authentik, open the <b>Admin interface</b>.</li>
<li>Go to <b>Directory</b> → <b>Tokens and App passwords</b> → <b>Create</b>.</li>
<li>Choose the user, and the intent <b>API Token</b>. App passwords do not work.</li>
<li>Copy the token's key and paste it under <b>Headers</b>, after <code>Bearer</code>.</li>
</ol>
<p>An access token of an OAuth2 provider works as well, if it has the scope <code>goauthentik.io/api</code>: add the scope
mapping <b>authentik API access</b> to the provider, and let the client ask for the scope.</p>
<p>Your <code>Authorization</code> header is passed to authentik unchanged. This page stores it nowhere: after a reload
you paste it again.</p>`,
};

const KEY: Explanation = {
  label: "Gateway key",
  lead: "This gateway expects its key under <b>Headers</b>.",
  summary: "Where the key comes from",
  credential: "<paste the key of this gateway>",
  body: `<p>The gateway asks authentik with its own token. Whoever runs it set the key as <code>GATEWAY_KEY</code>; an
authentik token does not work here. This page stores the key nowhere: after a reload you paste it again.</p>`,
};

const OPEN: Explanation = {
  label: "Open access",
  lead: "This gateway answers everyone who reaches it.",
  summary: "What that means",
  credential: null,
  body: "<p>No header is needed, and everybody sees what the gateway's own token for authentik may see.</p>",
};

/** What the page says, by who answers and what callers must show. */
function explain({ sandboxToken, credentials }: AccessOptions): Explanation {
  if (sandboxToken !== null) return { ...SANDBOX, credential: sandboxToken };
  if (credentials.mode === "caller") return CALLER;
  return credentials.gatewayKey === null ? OPEN : KEY;
}

/**
 * In the order in which they must run. The build puts all of them into `browser/` beside this file; without a build,
 * those of packages, which are installed for development only, are found where the package has them.
 */
const FILES: readonly {
  name: string;
  kind: "script" | "module" | "style";
  package?: string;
  path?: string;
}[] = [
  { name: "react.js", kind: "script", package: "react", path: "umd/react.production.min.js" },
  { name: "react-dom.js", kind: "script", package: "react-dom", path: "umd/react-dom.production.min.js" },
  { name: "graphiql.js", kind: "script", package: "graphiql", path: "graphiql.min.js" },
  { name: "start.js", kind: "module" },
  { name: "graphiql.css", kind: "style", package: "graphiql", path: "graphiql.min.css" },
  { name: "page.css", kind: "style" },
];

/** One file that the page loads. */
export type PageFile = Awaited<ReturnType<typeof loadPageFiles>>[number];

/**
 * Reads what the page loads and keeps it in both encodings, so that serving it costs no work.
 * @throws {Error} when a file is missing, which a complete build rules out
 */
export function loadPageFiles() {
  return Promise.all(
    FILES.map(async (file) => {
      const content = await readPageFile(file);
      const hash = createHash("sha256").update(content).digest("hex").slice(0, 16);
      return {
        /** Changes with the content, so that browsers may keep the file for ever: `graphiql-0123456789abcdef.js`. */
        name: file.name.replace(".", `-${hash}.`),
        kind: file.kind,
        etag: `"${hash}"`,
        content,
        gzipped: await promisify(gzip)(content),
      };
    }),
  );
}

async function readPageFile({ name, package: origin, path = name }: (typeof FILES)[number]): Promise<Buffer> {
  try {
    return await readFile(new URL(`./browser/${name}`, import.meta.url));
  } catch (error) {
    if (origin === undefined) throw error;
    // The packages export no such path, but they all export their package.json.
    const manifest = createRequire(import.meta.url).resolve(`${origin}/package.json`);
    return readFile(join(dirname(manifest), path));
  }
}
