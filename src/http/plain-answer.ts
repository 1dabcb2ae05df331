import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { type Answer, type AnswerEnvelope, answerHeaders, COMMON_HEADERS } from "./answer.ts";

/** Writes an answer on a connection, as node:http would write it to the byte. */
export type AnswerWriter = (socket: Socket, answer: Answer, envelope: AnswerEnvelope) => void;

/** @param options.keepAliveTimeoutMs what clients are told of how long an idle connection is kept */
export function createAnswerWriter({ keepAliveTimeoutMs }: { keepAliveTimeoutMs: number }): AnswerWriter {
  const staying = `Connection: keep-alive\r\nKeep-Alive: timeout=${Math.floor(keepAliveTimeoutMs / 1000)}\r\n`;
  const common = COMMON_HEADERS.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const date = dateClock();

  const headOf = (answer: Answer, envelope: AnswerEnvelope, bodyBytes: number): string => {
    const { status, mediaType, headers: more } = answer;
    const { requestId, close } = envelope;
    // Nearly all answers: the same as below, in one piece.
    if (status === 200 && more === undefined && !close) {
      return (
        `HTTP/1.1 200 OK\r\ncontent-type: ${mediaType}; charset=utf-8\r\ncontent-length: ${bodyBytes}\r\n` +
        `x-request-id: ${requestId}\r\n${common}Date: ${date()}\r\n${staying}\r\n`
      );
    }
    const headers = answerHeaders(answer, envelope, bodyBytes);
    let text = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n`;
    for (let index = 0; index < headers.length; index += 2)
      text += `${headers[index]}: ${headers[index + 1]}\r\n`;
    return `${text}Date: ${date()}\r\n${close ? "" : staying}\r\n`;
  };

  return (socket, answer, envelope) => {
    const { body } = answer;
    const bodyBytes = Buffer.byteLength(body);
    // Heads are ASCII, and nearly all bodies: the cheaper of two ways to the same bytes.
    const encoding = bodyBytes === body.length ? "latin1" : "utf8";
    socket.write(headOf(answer, envelope, bodyBytes) + body, encoding);
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
