import { expect, test } from "vitest";
import { AuthentikError, orError } from "../../src/authentik/authentik-error.ts";
import { readRecording, RECORDED_RELEASES, type RecordedCase, sendRecorded } from "../sandbox/recordings.ts";
import { connectToFake, operation, retrieve } from "./connect.ts";

/** What each recorded refusal of a read has to be, by what real servers said. */
function expectedKind({ request, response }: RecordedCase): string {
  const { status, body } = response;
  const detail = typeof body === "object" && body !== null && "detail" in body ? body.detail : undefined;
  if (status === 400) return "invalid-input";
  if (status === 403) {
    return detail === "You do not have permission to perform this action." ? "forbidden" : "unauthenticated";
  }
  if (status === 404) return body === undefined ? "malformed-response" : "not-found";
  if (status === 406) return "rejected";
  if (status === 500) return "upstream-failure";
  throw new Error(`a recorded ${status} without an expectation: ${request.path}`);
}

test.each(RECORDED_RELEASES)(
  "every read that a real server of %s answered is read as what it was",
  async (release) => {
    const reads = readRecording(release).filter(
      ({ request }) => request.method === "GET" && request.path.startsWith("/api/v3/"),
    );
    expect(reads.length).toBeGreaterThan(100);
    const { fake, authentik } = await connectToFake();
    for (const recorded of reads) {
      fake.answer((_request, response) => sendRecorded(response, recorded));
      const read = await orError(operation(authentik).get(retrieve(5)));
      expect([recorded.name, read instanceof AuthentikError ? read.kind : read]).toEqual([
        recorded.name,
        recorded.response.status === 200 ? recorded.response.body : expectedKind(recorded),
      ]);
    }
  },
);
