import { type About, option, type Option } from "./option.ts";

/** Base URL of an authentik: a path prefix is fine, anything that would end up in the wrong place is not. */
export function baseUrl(about: About<URL | null>): Option<URL | null> {
  return option<URL | null>({
    ...about,
    fallback: null,
    expected:
      "an http:// or https:// URL such as https://id.example.org or https://example.org/auth, " +
      "without user, password, query, fragment or /api/v3 at its end",
    parse: parseBaseUrl,
  });
}

function parseBaseUrl(text: string): URL | undefined {
  if (!/^https?:\/\/[^/]/i.test(text) || /[\s\\?#]/.test(text) || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  if (url.username !== "" || url.password !== "" || /\/api(\/v3)?\/*$/.test(url.pathname)) return undefined;
  url.pathname = url.pathname.replace(/\/+$/, "");
  return url;
}
