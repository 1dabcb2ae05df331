import { refuse } from "./answer.ts";

/**
 * The API renders JSON and nothing else. It looks at `?format=` first and at `Accept` then.
 * @throws {Refusal} 404 for another format, 406 for an `Accept` without JSON
 */
export function negotiate(accept: string | undefined, format: string | undefined): void {
  if (format !== undefined && format !== "" && format !== "json") throw refuse(404, "Not found.");
  const ranges = (accept ?? "*/*").split(",").map((range) => (range.split(";")[0] ?? "").trim());
  if (!ranges.some((range) => ["application/json", "application/*", "*/*"].includes(range))) {
    throw refuse(406, "Could not satisfy the request Accept header.");
  }
}

const languages = ["cs", "de", "en", "es", "fi", "fr", "it", "ja", "ko", "nl", "no", "pl", "pt", "ru", "tr"];
const scripts = ["zh-hans", "zh-hant"];

/** The language that Django picks for an `Accept-Language`; English where it knows none of them. */
export function preferredLanguage(acceptLanguage: string | undefined): string {
  const wanted = (acceptLanguage ?? "")
    .toLowerCase()
    .split(",")
    .map((entry) => {
      const [tag = "", ...parameters] = entry.split(";").map((part) => part.trim());
      const quality = parameters.find((parameter) => parameter.startsWith("q="));
      return { tag, quality: quality === undefined ? 1 : Number(quality.slice(2)) };
    })
    .sort((left, right) => right.quality - left.quality);
  for (const { tag } of wanted) {
    const primary = tag.split("-")[0] ?? "";
    if (scripts.includes(tag)) return tag;
    if (languages.includes(primary)) return primary;
  }
  return "en";
}
