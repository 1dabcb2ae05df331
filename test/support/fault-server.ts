import { readFileSync } from "node:fs";
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { gzipSync } from "node:zlib";
import { connectionBody } from "./wire-bodies.ts";

/** What happens to a connection once a whole request head has arrived on it. */
export type Fault = (socket: Socket) => void;

/** As authentik's application gives one to each request. */
const ID = "0123456789abcdef0123456789abcdef";

const GOOD_BODY = JSON.stringify(connectionBody(5));

/** Every way in which the bytes of an answer were seen to go wrong, by name; statuses are in truth-table.test.ts. */
export const FAULTS = {
  "closes before an answer": (socket) => socket.end(),
  "resets before an answer": (socket) => socket.resetAndDestroy(),
  "resets in the middle of the body": (socket) => {
    socket.write(head(200, [`Content-Length: ${GOOD_BODY.length}`]) + GOOD_BODY.slice(0, 50));
    setTimeout(() => socket.resetAndDestroy(), 5);
  },
  "ends in the middle of the body": (socket) =>
    socket.end(head(200, [`Content-Length: ${GOOD_BODY.length}`]) + GOOD_BODY.slice(0, 50)),
  "ends a body without length too early": (socket) =>
    socket.end(head(200, ["Connection: close"]) + GOOD_BODY.slice(0, 50)),
  "sends bytes that are no UTF-8": (socket) => {
    socket.write(head(200, ["Content-Length: 4"]));
    socket.end(Buffer.from([0x22, 0xff, 0xfe, 0x22]));
  },
  "sends nothing at all": () => {},
  "sends the head one byte at a time": (socket) => drip(socket, whole(200, GOOD_BODY)),
  "sends the body one byte at a time": (socket) => {
    socket.write(head(200, [`Content-Length: ${GOOD_BODY.length}`]));
    drip(socket, GOOD_BODY);
  },
  "loses its worker while it answers": (socket) =>
    socket.end(whole(500, "Internal Server Error", ["Content-Type: text/plain; charset=utf-8"])),
  "fails in its application, in as many bytes": (socket) =>
    socket.end(whole(500, "Internal Server Error", ["Content-Type: text/plain", `X-authentik-id: ${ID}`])),
  "sends eleven interim answers 100 that nobody asked for": (socket) =>
    socket.write("HTTP/1.1 100 Continue\r\n\r\n".repeat(11) + whole(200, GOOD_BODY)),
  "switches protocols unasked": (socket) =>
    socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n"),
  "switches protocols unasked, to none": (socket) =>
    socket.write("HTTP/1.1 101 Switching Protocols\r\n\r\n" + whole(200, GOOD_BODY)),
  "sends interim answers without end": (socket) => {
    const timer = setInterval(() => socket.write("HTTP/1.1 103 Early Hints\r\n\r\n"), 1);
    socket.on("close", () => clearInterval(timer));
  },
  "takes plain HTTP for a mistake": badRequest("Client sent an HTTP request to an HTTPS server.\n"),
  "takes plain HTTP for a mistake, as nginx does": badRequest(
    "<html><h1>The plain HTTP request was sent to HTTPS port</h1></html>",
    "text/html",
  ),
  "takes plain HTTP for a mistake, as Apache does": badRequest(
    "<html><h1>Bad Request</h1>Reason: You're speaking plain HTTP to an SSL-enabled server port.</html>",
    "text/html",
  ),
  "takes plain HTTP for a mistake, as Tomcat does": badRequest(
    "Bad Request\r\nThis combination of host and port requires TLS.\r\n",
  ),
  "takes plain HTTP for TLS, and says so in TLS": (socket) =>
    socket.end(Buffer.from([0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 0x46])),
  "is hidden by a proxy that answers 403 with a page": (socket) =>
    socket.end(whole(403, "<html>Blocked at 10.1.2.3</html>", ["Content-Type: text/html"])),
  "is hidden by a proxy that asks for a password": (socket) =>
    socket.end(whole(401, "<html>10.1.2.3</html>", ["Content-Type: text/html", "WWW-Authenticate: Basic"])),
  "declares a body of 200 MB": (socket) => {
    socket.write(head(200, ["Content-Length: 209715200"]));
    flood(socket, 200);
  },
  "sends 200 MB without saying so": (socket) => {
    socket.write(head(200, ["Connection: close"]));
    flood(socket, 200);
  },
  "sends 200 MB of interim responses": (socket) =>
    flood(socket, 200, "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"),
  "compresses 20 MB into 20 KB unasked": (socket) => {
    const body = gzipSync(Buffer.alloc(20 * 1024 * 1024, 0x20));
    socket.write(head(200, ["Content-Encoding: gzip", `Content-Length: ${body.length}`]));
    socket.end(body);
  },
  "sends 40 KB of headers": (socket) =>
    socket.end(
      whole(
        200,
        GOOD_BODY,
        Array.from({ length: 40 }, (_, i) => `X-${i}: ${"y".repeat(1_000)}`),
      ),
    ),
  "sends what is no HTTP": (socket) => socket.end("\u0000\u0001 no protocol at all \r\n\r\n"),
  "sends two lengths": (socket) => socket.end(whole(200, GOOD_BODY, ["Content-Length: 3"])),
} satisfies Record<string, Fault>;

/** Sends connection 5 as it should be. */
export const GOOD: Fault = (socket) => socket.write(whole(200, GOOD_BODY));

/** Sends this text as JSON. */
export function answering(body: string, status = 200): Fault {
  return (socket) => socket.write(whole(status, body));
}

/** A good answer, behind so many spaces that it has a mebibyte, in chunks of one byte. */
export function inChunksOfOneByte(): string {
  const chunks = Array.from(GOOD_BODY.padStart(1024 * 1024), (letter) => `1\r\n${letter}\r\n`);
  return `${head(200, ["Transfer-Encoding: chunked"])}${chunks.join("")}0\r\n\r\n`;
}

/**
 * A server below HTTP: it sends whatever bytes it is told to, or none. On a free port of 127.0.0.1; `tls` serves a
 * certificate that nobody trusts for another name.
 */
export async function startFaultServer({ tls = false }: { tls?: boolean } = {}) {
  const requests: string[] = [];
  const open = new Set<Socket>();
  let fault: Fault | null = null;
  const onConnection = (socket: Socket): void => {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
    socket.on("error", () => socket.destroy());
    let received = "";
    socket.on("data", (chunk) => {
      if (received === "" && !/^[A-Z]/.test(String(chunk))) {
        // A TLS handshake, say: servers of plain HTTP tell that they do not understand.
        socket.end(head(400));
        return;
      }
      received += String(chunk);
      for (let end = received.indexOf("\r\n\r\n"); end !== -1; end = received.indexOf("\r\n\r\n")) {
        requests.push(received.slice(0, end));
        received = received.slice(end + 4);
        (fault ?? GOOD)(socket);
      }
    });
  };
  const server: Server = tls
    ? createTlsServer({ key: pem("other-host.key.pem"), cert: pem("other-host.cert.pem") }, onConnection)
    : createTcpServer(onConnection);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: new URL(`${tls ? "https" : "http"}://127.0.0.1:${port}`),
    /** Heads of all requests so far. */
    requests,
    /** The certificate it serves, as PEM; empty without TLS. */
    certificate: tls ? pem("other-host.cert.pem").toString() : "",
    /** From now on: this fault, or with null a good answer. */
    set(next: Fault | null) {
      fault = next;
    },
    close: () =>
      new Promise<void>((resolve) => {
        for (const socket of open) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

function pem(name: string): Buffer {
  return readFileSync(new URL(`../fixtures/tls/${name}`, import.meta.url));
}

function head(status: number, headers: readonly string[] = []): string {
  const type = headers.some((header) => /^content-type:/i.test(header))
    ? []
    : ["Content-Type: application/json"];
  return `${[`HTTP/1.1 ${status} X`, ...type, ...headers].join("\r\n")}\r\n\r\n`;
}

function whole(status: number, body: string, headers: readonly string[] = []): string {
  return head(status, [`Content-Length: ${Buffer.byteLength(body)}`, ...headers]) + body;
}

function badRequest(text: string, type = "text/plain"): Fault {
  return (socket) => socket.end(whole(400, text, [`Content-Type: ${type}`]));
}

function drip(socket: Socket, text: string): void {
  let sent = 0;
  const timer = setInterval(() => {
    if (socket.destroyed || sent === text.length) clearInterval(timer);
    else socket.write(text.charAt(sent++));
  }, 50);
  socket.on("close", () => clearInterval(timer));
}

function flood(socket: Socket, mebibytes: number, text = " "): void {
  const chunk = text.repeat(Math.ceil((1024 * 1024) / text.length));
  let left = mebibytes;
  const more = (): void => {
    while (left > 0 && !socket.destroyed) {
      left--;
      if (!socket.write(chunk)) {
        socket.once("drain", more);
        return;
      }
    }
    if (!socket.destroyed) socket.end();
  };
  more();
}
