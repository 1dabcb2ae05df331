import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import {
  createLog,
  createRequestLog,
  type LogOptions,
  type ProcessLog,
} from "../../../src/observability/log.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

export type Line = Record<string, unknown>;

/** A log on a file descriptor, and what it wrote. */
export async function openLogFile(options: Partial<LogOptions> = {}): Promise<
  ProcessLog & {
    logRequest: ReturnType<typeof createRequestLog>;
    text: () => Promise<string>;
    lines: () => Promise<Line[]>;
  }
> {
  const file = join(temporaryFolder(), "log");
  const fd = openSync(file, "w");
  onTestFinished(() => closeSync(fd));
  const processLog = await createLog({ level: "info", format: "json", isTerminal: false, fd, ...options });
  const text = async (): Promise<string> => {
    await processLog.flush();
    return readFileSync(file, "utf8");
  };
  return {
    ...processLog,
    logRequest: createRequestLog(processLog.log, {
      authentikState: () => ({ inFlight: 1, queued: 2, limit: 8, breaker: "closed" }),
    }),
    text,
    lines: async () =>
      (await text())
        .split("\n")
        .slice(0, -1)
        .map((line): Line => JSON.parse(line)),
  };
}
