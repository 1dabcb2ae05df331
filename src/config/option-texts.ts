import { flagOf, type Option, type Section, sections } from "./option.ts";
import { optionEntries } from "./options.ts";

/** What the documentation says about one option. */
export interface OptionTexts {
  readonly name: string;
  /** null for secrets, which no command line takes. */
  readonly flag: string | null;
  readonly fallback: string;
  readonly description: string;
}

/** The documentation of all options by section, made from the same table that parses them. */
export function optionTexts(): ReadonlyMap<Section, readonly OptionTexts[]> {
  const bySection = new Map<Section, OptionTexts[]>(sections.map((section) => [section, []]));
  for (const [name, option] of optionEntries()) {
    const texts = {
      name,
      flag: option.secret === true ? null : flagOf(name, option),
      fallback: fallbackText(option),
      description: option.description,
    };
    bySection.get(option.section)?.push(texts);
  }
  return bySection;
}

function fallbackText({ fallback, fallbackInWords, unit }: Option<unknown>): string {
  if (fallbackInWords !== undefined) return fallbackInWords;
  if (fallback === null) return "not set";
  const plain = typeof fallback === "string" ? fallback : JSON.stringify(fallback);
  if (unit === "bytes") return `${plain} (${binarySize(Number(fallback))})`;
  return unit === undefined ? plain : `${plain} ${unit}`;
}

function binarySize(bytes: number): string {
  return bytes >= 1_048_576 ? `${bytes / 1_048_576} MiB` : `${bytes / 1024} KiB`;
}
