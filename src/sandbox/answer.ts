/** What the sandbox says to one request, before it becomes bytes. */
export interface Answer {
  status: number;
  /** JSON of the API · a page with its heading · what the router in front says itself · nothing. */
  body: { json: unknown } | { page: string } | { text: string; type: string } | null;
  headers?: Readonly<Record<string, string>>;
  /** Rows that a list serialized, for its cost; absent for everything else. */
  rows?: number;
}

/** Ends a request early with an answer of its own, as an exception does in Django. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly answer: Answer;

  constructor(answer: Answer) {
    super(`${answer.status}`);
    this.answer = answer;
  }
}

/** An answer in JSON. */
export function jsonAnswer(
  value: unknown,
  { status = 200, ...rest }: { status?: number; rows?: number } = {},
): Answer {
  return { status, body: { json: value }, ...rest };
}

/** authentik's error page with its heading. */
export function pageAnswer(status: number, heading: string): Answer {
  return { status, body: { page: heading } };
}

/** An error as the API words it: `{"detail": …}`. */
export function refuse(status: number, detail: string): Refusal {
  return new Refusal(jsonAnswer({ detail }, { status }));
}

/** 400 with the messages of one query parameter. */
export function refuseParameter(name: string, message: string): Refusal {
  return new Refusal(jsonAnswer({ [name]: [message] }, { status: 400 }));
}

/** 403 of a caller who may not do this. */
export function refusePermission(): Refusal {
  return refuse(403, "You do not have permission to perform this action.");
}
