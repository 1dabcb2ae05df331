import { STATUS_CODES } from "node:http";
import { type Answer, type AnswerEnvelope, answerHeaders } from "./answer.ts";

/** Writes answers as text for a connection, as node:http would write them to the byte. */
export type AnswerWriter = (answer: Answer, envelope: AnswerEnvelope) => string;

/** @param options.keepAliveTimeoutMs what clients are told of how long an idle connection is kept */
export function createAnswerWriter({ keepAliveTimeoutMs }: { keepAliveTimeoutMs: number }): AnswerWriter {
  const staying = `Connection: keep-alive\r\nKeep-Alive: timeout=${Math.floor(keepAliveTimeoutMs / 1000)}\r\n`;
  const date = dateClock();
  return (answer, envelope) => {
    const headers = answerHeaders(answer, envelope);
    let text = `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? ""}\r\n`;
    for (let index = 0; index < headers.length; index += 2)
      text += `${headers[index]}: ${headers[index + 1]}\r\n`;
    return `${text}Date: ${date()}\r\n${envelope.close ? "" : staying}\r\n${answer.body}`;
  };
}

/** The time as HTTP writes it, formatted once a second. */
function dateClock(): () => string {
  let second = 0;
  let text = "";
  return () => {
    const current = Math.floor(Date.now() / 1000);
    if (current !== second) {
      second = current;
      text = new Date(current * 1000).toUTCString();
    }
    return text;
  };
}
