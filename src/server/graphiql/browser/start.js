// Runs in the browser, after React, ReactDOM and GraphiQL, which are globals there.
const { document, fetch, location, GraphiQL, MutationObserver, React, ReactDOM } = globalThis;
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
  const known = new RegExp(String.raw`\b(query|mutation)\s+${operationName}\b`).test(parameters.query);
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
  const result = await response.json();
  if (operationName === "IntrospectionQuery") putFederationLast(result.data?.__schema);
  return result;
}

/** What only routers ask for comes last in the docs pane, which keeps the order of introspection. */
function putFederationLast(schema) {
  const query = schema?.types.find(({ name }) => name === schema.queryType.name);
  query?.fields.sort((a, b) => a.name.startsWith("_") - b.name.startsWith("_"));
}

function Page({ headers, examples, storage }) {
  // A tab that was never opened begins with the headers edited last: a token is pasted once, not once for each tab.
  const [latestHeaders, setLatestHeaders] = useState(headers);
  return createElement(
    GraphiQL,
    {
      fetcher: execute,
      storage,
      defaultTabs: examples,
      defaultQuery: examples[0].query,
      defaultHeaders: latestHeaders,
      onEditHeaders: setLatestHeaders,
      shouldPersistHeaders: false,
      defaultEditorToolsVisibility: "headers",
      inputValueDeprecation: true,
    },
    createElement(GraphiQL.Logo, null, createElement("h1", null, "authentik-graphql")),
  );
}

/** What GraphiQL 4 leaves out for people who use a keyboard or listen. Doing it again changes nothing. */
function makeAccessible() {
  // Its tabs hold two buttons each, which a tab must not. As items of a list they say what they are.
  for (const list of document.querySelectorAll('[role="tablist"]')) list.setAttribute("role", "list");
  for (const item of document.querySelectorAll(".graphiql-tab")) {
    item.setAttribute("role", "listitem");
    item.removeAttribute("aria-selected");
    const current = item.classList.contains("graphiql-tab-active");
    item.querySelector(".graphiql-tab-button").setAttribute("aria-current", String(current));
  }
  document.getElementById("graphiql-session")?.setAttribute("role", "region");
  for (const editor of document.querySelectorAll(".graphiql-container .CodeMirror")) {
    const name = editor.closest(".result-window") ? "Response" : nameOfEditor(editor);
    // CodeMirror writes into the first on computers and into the second on phones.
    editor.querySelector("textarea")?.setAttribute("aria-label", name);
    const code = editor.querySelector('.CodeMirror-code[contenteditable="true"]');
    code?.setAttribute("role", "textbox");
    code?.setAttribute("aria-multiline", "true");
    code?.setAttribute("aria-label", name);
    editor.querySelector(".CodeMirror-scroll").tabIndex = 0;
  }
}

function nameOfEditor(editor) {
  const section = editor.closest("section");
  if (section.matches(".graphiql-query-editor")) return "Query";
  return editor.parentElement === section.querySelector(".graphiql-editor") ? "Variables" : "Headers";
}

function onKeyDown(event) {
  const { key, target } = event;
  // Tab leaves an editor instead of being caught in it, but for a list of completions, which it takes from.
  const caught = target.closest(".CodeMirror") && !document.querySelector(".CodeMirror-hints");
  if (key === "Tab" && caught) event.stopPropagation();
  const opener = document.querySelector('[aria-label="Hide Documentation Explorer"]');
  if (key === "Escape" && opener && target.closest(".graphiql-plugin, .graphiql-sidebar")) {
    opener.click();
    opener.focus();
  }
}

// GraphiQL's dialogs read it: the style element that they add would be refused without it.
globalThis.__webpack_nonce__ = document.querySelector("script[nonce]").nonce;

const options = JSON.parse(document.getElementById("graphiql-options").textContent);
const kept = allowedStorage();
const storage = kept && createStorage(kept);
const root = document.getElementById("graphiql");
new MutationObserver(makeAccessible).observe(root, {
  attributeFilter: ["aria-selected", "class"],
  childList: true,
  subtree: true,
});
document.addEventListener("keydown", onKeyDown, { capture: true });
ReactDOM.createRoot(root).render(createElement(Page, { ...options, storage }));
