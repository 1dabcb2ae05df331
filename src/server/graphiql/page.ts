import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import type { Credentials } from "./callers.ts";
import type { Access } from "./graphiql/access.ts";
import type { PageFile } from "./graphiql/files.ts";

/** What the page must know. */
export interface GraphiqlOptions {
  /** Path of the graph, which is also the path of the page; its files are served below it. */
  endpoint: string;
  /** Token of the embedded sandbox, shown on the page; null where a real authentik answers. */
  sandboxToken: string | null;
  /** Decides what the page says about the `Authorization` header; no secret of it is shown. */
  credentials: Credentials;
}

/** GraphiQL, served from this process alone. */
export interface GraphiqlPage {
  /**
   * Answers requests for the page and its files and says whether this was one. The page is for a GET of the endpoint
   * by a browser (`Accept` names `text/html`) that carries no operation. `close` ends the connection after the answer.
   */
  serve(request: IncomingMessage, response: ServerResponse, options: { close: boolean }): boolean;
}

const KEPT_FOR_EVER = {
  "cache-control": "public, max-age=31536000, immutable",
  "cross-origin-resource-policy": "same-origin",
  vary: "Accept-Encoding",
  "x-content-type-options": "nosniff",
};

const MEDIA_TYPES = {
  script: "text/javascript; charset=utf-8",
  module: "text/javascript; charset=utf-8",
  style: "text/css; charset=utf-8",
};

/** Creates the page. Neither it nor its files are loaded before somebody asks for them. */
export function createGraphiqlPage({ endpoint, sandboxToken, credentials }: GraphiqlOptions): GraphiqlPage {
  const access = accessOf(sandboxToken, credentials);
  const folder = `${endpoint}/graphiql/`;
  let loading: Promise<readonly PageFile[]> | undefined;

  function files(): Promise<readonly PageFile[]> {
    loading ??= loadFiles().catch((error: unknown) => {
      loading = undefined;
      throw error;
    });
    return loading;
  }

  async function servePage(response: ServerResponse) {
    const [{ documentHeaders, renderDocument }, loaded] = await Promise.all([
      import("./graphiql/document.ts"),
      files(),
    ]);
    const nonce = randomBytes(16).toString("base64");
    // Relative to the page, so that they are found behind a proxy that adds a path prefix, too.
    const page = endpoint.slice(endpoint.lastIndexOf("/") + 1);
    const resources = loaded.map(({ name, kind }) => ({ kind, url: `${page}/graphiql/${name}` }));
    const html = renderDocument({ access, resources, nonce });
    send(response, { status: 200, headers: documentHeaders(nonce), body: Buffer.from(html) });
  }

  async function serveFile(name: string, request: IncomingMessage, response: ServerResponse) {
    const file = (await files()).find((candidate) => candidate.name === name);
    if (!file) {
      sendText(response, 404, "No such file. Open the page again: its files may have changed.");
      return;
    }
    const compressed = String(request.headers["accept-encoding"]).includes("gzip");
    send(response, {
      status: 200,
      headers: {
        ...KEPT_FOR_EVER,
        "content-type": MEDIA_TYPES[file.kind],
        ...(compressed ? { "content-encoding": "gzip" } : {}),
      },
      body: compressed ? file.gzipped : await promisify(gunzip)(file.gzipped),
    });
  }

  return {
    serve(request, response, { close }) {
      if (request.method !== "GET") return false;
      const [path = "", search = ""] = (request.url ?? "").split("?", 2);
      let serving: Promise<void>;
      if (path === endpoint && isView(request, search)) serving = servePage(response);
      else if (path.startsWith(folder)) serving = serveFile(path.slice(folder.length), request, response);
      else return false;
      if (close) response.setHeader("connection", "close");
      serving.catch(() =>
        sendText(response, 500, "GraphiQL's files are missing. Build the gateway with `npm run build`."),
      );
      return true;
    },
  };
}

async function loadFiles(): Promise<readonly PageFile[]> {
  const { loadPageFiles } = await import("./graphiql/files.ts");
  return loadPageFiles();
}

function accessOf(sandboxToken: string | null, credentials: Credentials): Access {
  if (sandboxToken !== null) return { kind: "sandbox", token: sandboxToken };
  if (credentials.mode === "caller") return { kind: "caller" };
  return { kind: credentials.gatewayKey === null ? "open" : "key" };
}

/** Whether a person looks at the endpoint, rather than a client that sends an operation by GET. */
function isView({ headers }: IncomingMessage, search: string): boolean {
  const parameters = new URLSearchParams(search);
  if (parameters.has("query") || parameters.has("extensions")) return false;
  const ranges = (headers.accept ?? "").toLowerCase().split(",");
  return ranges.some((range) => range.split(";", 1)[0]?.trim() === "text/html");
}

function sendText(response: ServerResponse, status: number, text: string) {
  send(response, {
    status,
    headers: {
      "content-type": "text/plain; charset=utf-8",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
    },
    body: Buffer.from(`${text}\n`),
  });
}

function send(
  response: ServerResponse,
  { status, headers, body }: { status: number; headers: Record<string, string>; body: Buffer },
) {
  response.writeHead(status, { ...headers, "content-length": body.length });
  response.end(body);
}
