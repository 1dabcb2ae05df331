import type { Socket } from "node:net";
import type { buildConnector } from "undici";

const CONTINUE = "HTTP/1.1 100 ";
const HEAD_END = "\r\n\r\n";
/** In a row; what sends more is taken for broken. */
const MOST_SKIPPED = 10;

/**
 * A connector whose sockets keep interim responses 100 to themselves. A client must be able to take them unasked (RFC
 * 9110, 15.2), and proxies send them; undici 7 ends the connection at one, and has no option for it. One that comes in
 * pieces is left to undici: such a read is sent once more.
 */
export function skippingContinue(connect: buildConnector.connector): buildConnector.connector {
  return (options, callback) =>
    connect(options, (...[error, socket]) => {
      if (error) {
        callback(error, null);
        return;
      }
      skipContinue(socket);
      callback(null, socket);
    });
}

function skipContinue(socket: Socket): void {
  const read = socket.read.bind(socket);
  let skipped = 0;
  socket.read = (size?: number) => {
    let chunk: Buffer | null = read(size);
    for (; chunk !== null; skipped += 1) {
      const end = chunk.toString("latin1", 0, CONTINUE.length) === CONTINUE ? chunk.indexOf(HEAD_END) : -1;
      if (end === -1 || skipped >= MOST_SKIPPED) break;
      const rest: Buffer = chunk.subarray(end + HEAD_END.length);
      chunk = rest.length > 0 ? rest : read(size);
    }
    if (chunk !== null) skipped = 0;
    return chunk;
  };
}
