import type { Socket } from "node:net";
import type { buildConnector } from "undici";

const INTERIM = /^HTTP\/1\.1 10[023] /;
const STATUS_LENGTH = "HTTP/1.1 100 ".length;
const HEAD_END = "\r\n\r\n";
/** In a row; what sends more is taken for broken. */
const MOST_SKIPPED = 10;

/**
 * A connector whose sockets keep interim responses to themselves: 100, 102 and 103, in any order. A client must be able to
 * take them unasked (RFC 9110, 15.2), and proxies send them; undici 7 ends the connection at a 100, and has no option for
 * it. One that comes in pieces is left to undici: with a 100 such a read is sent once more.
 */
export function skippingInterim(connect: buildConnector.connector): buildConnector.connector {
  return (options, callback) =>
    connect(options, (...[error, socket]) => {
      if (error) {
        callback(error, null);
        return;
      }
      skipInterim(socket);
      callback(null, socket);
    });
}

function skipInterim(socket: Socket): void {
  const read = socket.read.bind(socket);
  let skipped = 0;
  socket.read = (size?: number) => {
    let chunk: Buffer | null = read(size);
    for (; chunk !== null; skipped += 1) {
      const end = INTERIM.test(chunk.toString("latin1", 0, STATUS_LENGTH)) ? chunk.indexOf(HEAD_END) : -1;
      if (end === -1 || skipped >= MOST_SKIPPED) break;
      const rest: Buffer = chunk.subarray(end + HEAD_END.length);
      chunk = rest.length > 0 ? rest : read(size);
    }
    if (chunk !== null) skipped = 0;
    return chunk;
  };
}
