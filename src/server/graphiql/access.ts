import type { Credentials } from "../credentials.ts";

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
export function explain({ sandboxToken, credentials }: AccessOptions): Explanation {
  if (sandboxToken !== null) return { ...SANDBOX, credential: sandboxToken };
  if (credentials.mode === "caller") return CALLER;
  return credentials.gatewayKey === null ? OPEN : KEY;
}
