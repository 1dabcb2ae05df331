/** The credential that is sent unless a test says otherwise. */
export const TOKEN = "Bearer token-of-administrator";

/** An error as a client reads it. */
export interface ClientError {
  message: string;
  path?: (string | number)[];
  locations?: { line: number; column: number }[];
  extensions: { code: string; requestId: string } & Record<string, unknown>;
}

/** One answer, read whole. What is in it is typed as it should be: tests say what they expect. */
export interface GraphQLReply {
  status: number;
  headers: Headers;
  text: string;
  /** The body's JSON; an empty object where it is none. */
  result: Pick<GraphQLReply, "data" | "errors" | "extensions">;
  data?: Record<string, unknown> | null | undefined;
  errors?: ClientError[] | undefined;
  extensions?: Record<string, unknown> | undefined;
  /** Codes of all errors, in order. */
  codes: string[];
}

/** Options of one question. */
export interface AskOptions {
  variables?: Record<string, unknown>;
  headers?: Record<string, string>;
  /** A whole `Authorization`; `null`: none. */
  authorization?: string | null;
  signal?: AbortSignal;
}

/** Sends an operation as a POST of JSON. */
export function ask(url: URL, query: string, { variables, ...options }: AskOptions = {}) {
  return askBody(url, JSON.stringify({ query, variables }), options);
}

/** Sends any text as a POST of JSON. */
export async function askBody(
  url: URL,
  body: string | Uint8Array<ArrayBuffer>,
  { authorization = TOKEN, headers, signal }: AskOptions = {},
): Promise<GraphQLReply> {
  const credential = authorization === null ? {} : { authorization };
  const init = { headers: { "content-type": "application/json", ...credential, ...headers }, body };
  return read(await fetch(new URL("/graphql", url), { method: "POST", ...init, signal: signal ?? null }));
}

/** Reads an answer whole. */
export async function read(response: Response): Promise<GraphQLReply> {
  const { status, headers } = response;
  const text = await response.text();
  const result = parsed(text);
  const codes = (result.errors ?? []).map(({ extensions }) => extensions.code);
  return { status, headers, text, result, ...result, codes };
}

function parsed(text: string): GraphQLReply["result"] {
  // Not every answer is JSON: the text is there for whoever expects it.
  const value: unknown = /^[[{]/.test(text) ? JSON.parse(text) : {};
  return typeof value === "object" && value !== null ? value : {};
}
