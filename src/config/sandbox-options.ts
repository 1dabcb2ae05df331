import { integer, oneOf } from "./kinds.ts";

/** How the embedded stand-in for authentik behaves. */
export const sandboxOptions = {
  SANDBOX_RELEASE: oneOf(["2024.2", "2024.6", "2024.8", "2024.12", "2025.4", "2025.12", "2026.8"], {
    section: "Sandbox",
    commands: ["serve", "sandbox"],
    flag: "release",
    fallback: "2024.8",
    description: "The release of authentik whose answers the sandbox gives.",
  }),
  SANDBOX_PORT: integer({
    section: "Sandbox",
    commands: ["serve", "sandbox"],
    fallback: 0,
    min: 0,
    max: 65_535,
    description: "Port of the sandbox; 0 takes a free one.",
  }),
  SANDBOX_LATENCY_MS: integer({
    section: "Sandbox",
    commands: ["serve", "sandbox"],
    flag: "latency-ms",
    fallback: 0,
    min: 0,
    max: 60_000,
    unit: "ms",
    description: "How long the sandbox waits before it answers.",
  }),
};
