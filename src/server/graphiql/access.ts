import { escapeHtml } from "./escape.ts";

/** What callers must show, as far as the page has to explain it. Holds no secret but the sandbox's public token. */
export type Access =
  /** The embedded sandbox answers; its token may be shown to everyone. */
  | { kind: "sandbox"; token: string }
  /** authentik judges the caller's own token. */
  | { kind: "caller" }
  /** The gateway asks with its own token and demands a key. */
  | { kind: "key" }
  /** The gateway asks with its own token, for anyone. */
  | { kind: "open" };

interface Note {
  label: string;
  lead: string;
  summary: string;
  body: string;
}

const CREDENTIALS = {
  caller: "<paste an authentik API token>",
  key: "<paste the key of this gateway>",
  open: null,
} as const;

const NOTES: Readonly<Record<"caller" | "key" | "open", Note>> = {
  caller: {
    label: "Your token",
    lead: "Queries run with the API token under <b>Headers</b>: you see what authentik lets you see.",
    summary: "How to create an API token",
    body: `<ol>
<li>In authentik, open the <b>Admin interface</b>.</li>
<li>Go to <b>Directory</b> → <b>Tokens and App passwords</b> → <b>Create</b>.</li>
<li>Choose the user, and the intent <b>API Token</b>. App passwords do not work.</li>
<li>Copy the token's key and paste it under <b>Headers</b>, after <code>Bearer</code>.</li>
</ol>
<p>Your <code>Authorization</code> header is passed to authentik unchanged. This page stores it nowhere: after a reload
you paste it again.</p>`,
  },
  key: {
    label: "Gateway key",
    lead: "This gateway asks authentik with its own token and expects its key under <b>Headers</b>.",
    summary: "Where the key comes from",
    body: `<p>Whoever runs the gateway set it as <code>GATEWAY_KEY</code>. An authentik token does not work here. This page
stores the key nowhere: after a reload you paste it again.</p>`,
  },
  open: {
    label: "Open access",
    lead: "This gateway asks authentik with its own token, for everyone who reaches it.",
    summary: "What that means",
    body: "<p>No header is needed, and everybody sees what the gateway's token may see.</p>",
  },
};

/** Text of the headers editor, ready to be edited: JSON, or nothing where no header is needed. */
export function headersFor(access: Access): string {
  const credential = access.kind === "sandbox" ? access.token : CREDENTIALS[access.kind];
  return credential === null ? "" : JSON.stringify({ Authorization: `Bearer ${credential}` }, null, 2);
}

/** The note above the editors, as HTML: who answers and what to put into the headers. */
export function noteFor(access: Access): string {
  const { label, lead, summary, body } =
    access.kind === "sandbox" ? sandboxNote(access.token) : NOTES[access.kind];
  return `<header class="note">
<p><strong>${label}</strong> ${lead}</p>
<details><summary>${summary}</summary><div>${body}</div></details>
</header>`;
}

function sandboxNote(token: string): Note {
  return {
    label: "Sandbox",
    lead: "An embedded stand-in with invented people answers here, not your authentik.",
    summary: "Try other tokens, or your own authentik",
    body: `<p>Replace the token under <b>Headers</b> and run a query again:</p>
<ul>
<li><code>${escapeHtml(token)}</code> sees every connection.</li>
<li><code>token-of-alice</code> owns the connections 5 and 7 and sees no other.</li>
<li><code>token-of-bob</code> owns the connection 6: for him 5 does not exist.</li>
<li><code>expired-token-of-alice</code> is refused with <code>UNAUTHENTICATED</code>.</li>
</ul>
<p>To ask your own authentik, start the gateway with <code>AUTHENTIK_URL=https://id.example.org</code>.</p>`,
  };
}
