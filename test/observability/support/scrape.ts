/** What a scraper reads, in Prometheus' text format unless told otherwise. */
export async function scrapeText(url: URL | string, accept = "text/plain"): Promise<string> {
  return (await fetch(new URL("/metrics", url), { headers: { accept } })).text();
}

/** The samples by name and labels, without the prefix that all have. */
export async function scrape(url: URL | string): Promise<Record<string, number>> {
  const samples = (await scrapeText(url)).matchAll(/^authentik_graphql_(.+) (\S+)$/gm);
  return Object.fromEntries([...samples].map(([, name = "", value]) => [name, Number(value)]));
}
