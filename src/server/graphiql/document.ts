import { type AccessOptions, explain } from "./access.ts";
import { EXAMPLES } from "./examples.ts";
import type { PageFile } from "./files.ts";

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
