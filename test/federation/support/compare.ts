/** What a client can tell one answer from another by. */
export interface Comparable {
  data: unknown;
  /** Code and path of each error, sorted. */
  errors: string[];
}

/** Reduces an answer to its data and its errors' codes and paths: texts and ids of requests may differ. */
export function comparable(answer: unknown): Comparable {
  const { data, errors } = answer as { data?: unknown; errors?: AnswerError[] }; // GraphQL over HTTP says so
  return {
    data: data ?? null,
    errors: (errors ?? [])
      .map((error) => `${String(error.extensions?.code)} at ${(error.path ?? []).join(".")}`)
      .sort(),
  };
}

interface AnswerError {
  path?: (string | number)[];
  extensions?: { code?: unknown };
}

/** Sends an operation as a client does, and reads the answer. */
export async function send(
  url: string,
  body: { query: string; variables?: Record<string, unknown> },
  authorization: string | null,
): Promise<unknown> {
  const response = await fetch(url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/json",
      ...(authorization === null ? {} : { authorization }),
    },
    body: JSON.stringify(body),
  });
  return response.json();
}
