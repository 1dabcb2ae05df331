import { parseSandboxFault, type SandboxFault, SANDBOX_FAULTS } from "../sandbox/faults.ts";
import { SANDBOX_RELEASES } from "../sandbox/releases.ts";
import { integer, onOff, oneOf } from "./kinds.ts";
import { type Command, option } from "./option.ts";

const shared = { section: "Sandbox", commands: ["serve", "sandbox"] as readonly Command[] } as const;

/** How the embedded stand-in for authentik behaves. */
export const sandboxOptions = {
  SANDBOX_RELEASE: oneOf(SANDBOX_RELEASES, {
    ...shared,
    flag: "release",
    fallback: "2026.8",
    description: `The release of authentik whose answers the sandbox gives: ${SANDBOX_RELEASES.join(", ")}.`,
  }),
  SANDBOX_PORT: integer({
    ...shared,
    fallback: 0,
    min: 0,
    max: 65_535,
    description: "Port of the sandbox; 0 takes a free one.",
  }),
  SANDBOX_LATENCY_MS: integer({
    ...shared,
    flag: "latency-ms",
    fallback: 0,
    min: 0,
    max: 60_000,
    unit: "ms",
    description: "How long the sandbox waits before every answer.",
  }),
  SANDBOX_AUTHENTIK_COST: onOff({
    ...shared,
    flag: "authentik-cost",
    fallback: false,
    description:
      "Whether the sandbox takes as long as a small authentik does: two workers, more for each row.",
  }),
  SANDBOX_FAULTS: option<readonly SandboxFault[]>({
    ...shared,
    flag: "faults",
    fallback: [],
    fallbackInWords: "none",
    expected: `faults separated by commas, each with a share of the requests if not all, such as reset:0.1,hang:0.05; known are ${Object.keys(SANDBOX_FAULTS).join(", ")}`,
    description: `Faults of the sandbox, separated by commas, each for all requests or a share (\`reset:0.1\`): ${Object.keys(SANDBOX_FAULTS).join(", ")}.`,
    parse: parseFaults,
  }),
};

function parseFaults(text: string): readonly SandboxFault[] | undefined {
  const faults = text.split(",").map((item) => parseSandboxFault(item.trim()));
  const known = faults.filter((fault) => fault !== null);
  return known.length === faults.length ? known : undefined;
}
