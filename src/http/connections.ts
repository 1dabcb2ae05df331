import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** Knows of every open connection which answers it still owes. */
export interface Connections {
  count: () => number;
  all: () => Iterable<Socket>;
  /** Notes that an answer is owed. Cheap: every request pays for it. */
  owe: (request: IncomingMessage, response: ServerResponse) => void;
  /** Answers of node:http on this connection that are not completely handed to the operating system. */
  owed: (socket: Socket) => readonly ServerResponse[];
  /** Whether an answer is owed on this connection, by whichever door it came. */
  owes: (socket: Socket) => boolean;
}

/**
 * Watches the connections of a server, from before it listens.
 * @param options.owesElsewhere tells of answers that are not node:http's
 */
export function watchConnections(
  server: Server,
  { owesElsewhere }: { owesElsewhere: (socket: Socket) => boolean },
): Connections {
  const open = new Set<Socket>();
  const owing = new WeakMap<Socket, ServerResponse[]>();
  server.on("connection", (socket) => {
    open.add(socket);
    socket.once("close", () => open.delete(socket));
  });
  const owed = (socket: Socket): readonly ServerResponse[] => owing.get(socket)?.filter(isOwed) ?? [];
  return {
    count: () => open.size,
    all: () => open,
    owe: ({ socket }, response) => {
      const responses = owing.get(socket);
      if (responses === undefined) owing.set(socket, [response]);
      else if (responses.length === 1 && responses[0]?.writableFinished === true) responses[0] = response;
      else owing.set(socket, [...responses.filter(isOwed), response]);
    },
    owed,
    owes: (socket) => socket.writableLength > 0 || owesElsewhere(socket) || owed(socket).length > 0,
  };
}

function isOwed(response: ServerResponse): boolean {
  return !response.writableFinished;
}
