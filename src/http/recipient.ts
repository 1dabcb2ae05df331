import type { ServerResponse } from "node:http";
import { type Answer, type AnswerEnvelope, writeAnswer } from "./answer.ts";

/** The client that waits for one answer, whatever door it came through. */
export interface Recipient {
  /** Writes the answer whole; does nothing when the client has left. */
  send(answer: Answer, envelope: AnswerEnvelope): void;
  /** Calls back when the client leaves before it was answered; at once when it has left already. */
  onLeave(listener: () => void): void;
}

/** Who waits for a response of node:http. */
export function responseRecipient(response: ServerResponse): Recipient {
  return {
    send: (answer, envelope) => writeAnswer(response, answer, envelope),
    onLeave(listener) {
      if (response.destroyed) listener();
      else
        response.once("close", () => {
          if (!response.writableFinished) listener();
        });
    },
  };
}
