// Runs in the browser, after React, ReactDOM and GraphiQL, which are globals there.
const { document, fetch, location, GraphiQL, React, ReactDOM } = globalThis;
const { createElement, useState } = React;

// An operation in GraphiQL's history keeps its headers, and so would these keys.
const UNKEPT = new Set(["graphiql:headers", "graphiql:queries", "graphiql:favorites"]);

/** What GraphiQL remembers between visits, less what may hold a token: that is forgotten with the page. */
function createStorage(kept) {
  return {
    get length() {
      return kept.length;
    },
    getItem: (key) => (UNKEPT.has(key) ? null : kept.getItem(key)),
    setItem(key, value) {
      if (!UNKEPT.has(key)) kept.setItem(key, value);
    },
    removeItem: (key) => kept.removeItem(key),
    clear() {
      for (const key of Object.keys(kept)) if (key.startsWith("graphiql:")) kept.removeItem(key);
    },
  };
}

/** The browser's storage, or null where it is forbidden: GraphiQL then remembers nothing. */
function allowedStorage() {
  try {
    return globalThis.localStorage;
  } catch {
    return null;
  }
}

async function execute({ operationName, ...parameters }, { headers } = {}) {
  // For a moment after a change of tabs, GraphiQL names the operation of the tab before.
  const known = new RegExp(String.raw`\b${operationName}\b`).test(parameters.query);
  const response = await fetch(location.pathname, {
    method: "POST",
    headers: {
      ...headers,
      accept: "application/graphql-response+json, application/json;q=0.9",
      "content-type": "application/json",
    },
    body: JSON.stringify(known ? { ...parameters, operationName } : parameters),
    redirect: "error",
  });
  return response.json();
}

function Page({ headers, queries, storage }) {
  // A tab that was never opened begins with the headers edited last: a token is pasted once, not once for each tab.
  const [latestHeaders, setLatestHeaders] = useState(headers);
  return createElement(
    GraphiQL,
    {
      fetcher: execute,
      storage,
      defaultTabs: queries.map((query) => ({ query })),
      defaultQuery: queries[0],
      defaultHeaders: latestHeaders,
      onEditHeaders: setLatestHeaders,
      shouldPersistHeaders: false,
      defaultEditorToolsVisibility: "headers",
      inputValueDeprecation: true,
    },
    createElement(GraphiQL.Logo, null, "authentik-graphql"),
  );
}

// GraphiQL's dialogs read it: the style element that they add would be refused without it.
globalThis.__webpack_nonce__ = document.querySelector("script[nonce]").nonce;

const options = JSON.parse(document.getElementById("graphiql-options").textContent);
const kept = allowedStorage();
const storage = kept && createStorage(kept);
ReactDOM.createRoot(document.getElementById("graphiql")).render(createElement(Page, { ...options, storage }));
