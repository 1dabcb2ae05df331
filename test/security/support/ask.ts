/** One answer, read whole. */
export interface Asked {
  status: number;
  headers: Headers;
  text: string;
  /** The body as a GraphQL result; empty where it is none. */
  result: { data?: Record<string, unknown> | null; errors?: AskedError[] };
  /** Codes of all errors, in order. */
  codes: string[];
}

/** An error of a GraphQL result. */
export interface AskedError {
  message: string;
  path?: (string | number)[];
  extensions?: Record<string, unknown> & { code?: string; requestId?: string };
}

/** Options of one question. */
export interface AskOptions {
  variables?: Record<string, unknown>;
  /** The token; null sends no Authorization. */
  token?: string | null;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

/** Sends an operation as a POST of JSON. */
export function ask(url: URL, query: string, options: AskOptions = {}): Promise<Asked> {
  const { variables } = options;
  return askBody(url, JSON.stringify(variables === undefined ? { query } : { query, variables }), options);
}

/** Sends any text as a POST of JSON. */
export async function askBody(
  url: URL,
  body: string | Uint8Array<ArrayBuffer>,
  { token = "token-of-a-test", headers = {}, signal }: AskOptions = {},
): Promise<Asked> {
  const response = await fetch(new URL("/graphql", url), {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
    body,
    signal: signal ?? null,
  });
  return read(response);
}

/** Reads an answer whole. */
export async function read(response: Response): Promise<Asked> {
  const text = await response.text();
  let result: Asked["result"] = {};
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === "object" && parsed !== null) result = parsed;
  } catch {
    // Not every answer is JSON: the text is there for whoever expects it.
  }
  return {
    status: response.status,
    headers: response.headers,
    text,
    result,
    codes: (result.errors ?? []).map(({ extensions }) => extensions?.code ?? ""),
  };
}
