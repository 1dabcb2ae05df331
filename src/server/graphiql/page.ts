import { randomBytes } from "node:crypto";
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import type { RequestTarget } from "../request-guard.ts";
import type { AccessOptions, PageFile } from "./document.ts";

/** What the page must know. */
export interface GraphiqlOptions extends AccessOptions {
  /** Path of the graph, which is also the path of the page; its files are served below it. */
  endpoint: string;
}

interface Reply {
  status: number;
  headers: Record<string, string>;
  body?: Buffer | string;
}

/** GraphiQL, served from this process alone. Nothing of it is loaded before somebody asks for it. */
export function createGraphiqlPage(options: GraphiqlOptions) {
  const { endpoint } = options;
  const folder = `${endpoint}/graphiql/`;
  // URLs are relative, so that they lead to the right place behind a proxy that adds a path prefix, too.
  const name = endpoint.slice(endpoint.lastIndexOf("/") + 1);
  const redirects = new Map([
    ["/", endpoint.slice(1)],
    [`${endpoint}/`, `../${name}`],
  ]);
  let loading: ReturnType<typeof load> | undefined;

  /** What is the same for everyone, which is made once. */
  async function load() {
    const { createDocument, loadPageFiles } = await import("./document.ts");
    const files = await loadPageFiles();
    return { files, view: createDocument({ ...options, files, folder: `${name}/graphiql/` }) };
  }

  function loaded() {
    loading ??= load().catch((error: unknown) => {
      loading = undefined;
      throw error;
    });
    return loading;
  }

  async function replyWithFile(path: string, headers: IncomingHttpHeaders): Promise<Reply> {
    const { files } = await loaded();
    const file = files.find((candidate) => path === folder + candidate.name);
    return file ? fileReply(file, headers) : NO_SUCH_FILE;
  }

  function replyTo({ headers }: IncomingMessage, { path, search }: RequestTarget): Promise<Reply> | null {
    if (path.startsWith(folder)) return replyWithFile(path, headers);
    if (!isView(headers, search)) return null;
    if (path === endpoint) return loaded().then(({ view }) => view(randomBytes(16).toString("base64")));
    const location = redirects.get(path);
    return location === undefined
      ? null
      : Promise.resolve({ status: 308, headers: { ...REDIRECT, location } });
  }

  return {
    /**
     * Answers what is for the page and says whether this was: a GET of the endpoint by a browser (`Accept` names
     * `text/html`) that carries no operation, its files below the endpoint, and, for browsers alone, `/` and the endpoint
     * with a slash behind it, which lead to the page.
     */
    serve(request: IncomingMessage, response: ServerResponse, target: RequestTarget): boolean {
      const reply = request.method === "GET" ? replyTo(request, target) : null;
      if (reply === null) return false;
      void send(response, reply);
      return true;
    },
  };
}

async function send(response: ServerResponse, reply: Promise<Reply>) {
  const { status, headers, body = "" } = await reply.catch(() => NOT_BUILT);
  const length = status === 304 ? {} : { "content-length": Buffer.byteLength(body) };
  response.writeHead(status, { ...headers, ...length }).end(body);
}

/** Whether a person looks at the endpoint, rather than a client that sends an operation by GET. */
function isView({ accept = "" }: IncomingHttpHeaders, parameters: URLSearchParams): boolean {
  if (parameters.has("query") || parameters.has("extensions")) return false;
  const ranges = accept.toLowerCase().split(",");
  return ranges.some((range) => range.split(";", 1)[0]?.trim() === "text/html");
}

function fileReply({ kind, etag, content, gzipped }: PageFile, headers: IncomingHttpHeaders): Reply {
  const kept = { ...KEPT_FOR_EVER, etag };
  if (headers["if-none-match"]?.includes(etag)) return { status: 304, headers: kept };
  const typed = { ...kept, "content-type": MEDIA_TYPES[kind] };
  return takesGzip(headers)
    ? { status: 200, headers: { ...typed, "content-encoding": "gzip" }, body: gzipped }
    : { status: 200, headers: typed, body: content };
}

function takesGzip({ "accept-encoding": codings = "" }: IncomingHttpHeaders): boolean {
  return /\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))/i.test(codings);
}

const MEDIA_TYPES = {
  script: "text/javascript; charset=utf-8",
  module: "text/javascript; charset=utf-8",
  style: "text/css; charset=utf-8",
};

const KEPT_FOR_EVER = {
  "cache-control": "public, max-age=31536000, immutable",
  "cross-origin-resource-policy": "same-origin",
  vary: "Accept-Encoding",
  "x-content-type-options": "nosniff",
};

const REDIRECT = { "cache-control": "no-store", vary: "Accept" };

const TEXT = {
  "content-type": "text/plain; charset=utf-8",
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
};

const NO_SUCH_FILE: Reply = {
  status: 404,
  headers: TEXT,
  body: "No such file. Open the page again: its files may have changed.\n",
};

const NOT_BUILT: Reply = {
  status: 500,
  headers: TEXT,
  body: "GraphiQL's files are missing. Build the gateway with `npm run build`.\n",
};
