/** The last patch release of each release whose responses are known, oldest first. */
const versions = {
  "2024.2": "2024.2.4",
  "2024.6": "2024.6.5",
  "2024.8": "2024.8.1",
  "2024.12": "2024.12.5",
  "2025.2": "2025.2.4",
  "2025.4": "2025.4.4",
  "2025.8": "2025.8.1",
  "2025.10": "2025.10.4",
  "2025.12": "2025.12.4",
  "2026.8": "2026.8.3",
} as const;

/** One of {@link SANDBOX_RELEASES}. */
export type SandboxRelease = keyof typeof versions;

/** Releases of authentik that the sandbox can answer as, oldest first. */
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys of a literal are those of its type
export const SANDBOX_RELEASES = Object.keys(versions) as readonly SandboxRelease[];

/** The release that a sandbox answers as. */
export type Release = ReturnType<typeof createRelease>;

/** Where one release differs from another, the code asks whether this is `since` that one: the same or newer. */
export function createRelease(name: SandboxRelease) {
  const position = SANDBOX_RELEASES.indexOf(name);
  const since = (first: SandboxRelease): boolean => position >= SANDBOX_RELEASES.indexOf(first);
  return { version: versions[name], since };
}
