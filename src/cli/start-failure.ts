/** A start that cannot succeed as things are; its message is a sentence for the person who tried. */
export class StartFailure extends Error {
  override readonly name = "StartFailure";
}

/** Says what a person can do about a server that cannot listen. */
export function listenFailure(
  error: unknown,
  { host, port, flag = "--port" }: { host: string; port: number; flag?: string },
): StartFailure {
  return new StartFailure(listenSentence(error, { host, port, flag }), { cause: error });
}

function listenSentence(
  error: unknown,
  { host, port, flag }: { host: string; port: number; flag: string },
): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  switch (code) {
    case "EADDRINUSE":
      return `Port ${port} on ${host} is taken by another process: choose one with ${flag}, or 0 for a free one.`;
    case "EACCES":
      return `Port ${port} on ${host} needs more rights than this process has: choose one above 1023 with ${flag}.`;
    case "EADDRNOTAVAIL":
      return `This machine has no address ${host}: choose one with --host.`;
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `The host name ${host} is not known: choose an address with --host.`;
    default:
      return `Cannot listen on port ${port} of ${host}: ${error instanceof Error ? error.message : String(error)}`;
  }
}
