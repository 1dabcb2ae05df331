import type { Answer } from "./answer.ts";
import { jsonAnswer, refusePermission } from "./answer.ts";
import type { Call } from "./call.ts";
import { notFound } from "./call.ts";
import type { Source } from "./directory.ts";
import type { SortKeys } from "./ordering.ts";
import { sortRows } from "./ordering.ts";
import { listAnswer } from "./pagination.ts";
import { booleanFilter, textFilter, uuidFilter } from "./query.ts";
import { createSearch } from "./search.ts";
import { iconUrl, plexClientId, plexSourceBody, sourceBody } from "./source-body.ts";
import { refuseAnonymous } from "./tokens.ts";
import { usesOfPlexSource } from "./used-by.ts";

const sortKeys: SortKeys<Source> = {
  pk: ({ pk }) => pk,
  name: ({ name }) => name,
  slug: ({ slug }) => slug,
  enabled: ({ enabled }) => Number(enabled),
};

/** Nobody in the directory but superusers may view sources. */
function demandViewPermission({ caller }: Call): void {
  if (caller === null) throw refuseAnonymous();
  if (!caller.superuser) throw refusePermission();
}

function demandPermissionForOne(call: Call): void {
  if (call.caller === null && call.traits.source.decidedByObject) throw refusePermission();
  demandViewPermission(call);
}

function listSources(
  call: Call,
  {
    sources,
    fallback,
    write,
  }: { sources: readonly Source[]; fallback: readonly string[]; write: (source: Source) => unknown },
): Answer {
  demandViewPermission(call);
  const { query, traits } = call;
  const name = textFilter(query, "name");
  const slug = textFilter(query, "slug");
  const managed = textFilter(query, "managed");
  const enabled = booleanFilter(query, "enabled");
  const pk = traits.source.pbmUuidFilter ? uuidFilter(query, "pbm_uuid") : undefined;
  const matches = createSearch(query.get("search"), traits);
  const rows = sources.filter(
    (source) =>
      (name === undefined || source.name === name) &&
      (slug === undefined || source.slug === slug) &&
      (managed === undefined || source.managed === managed) &&
      (enabled === undefined || source.enabled === enabled) &&
      (pk === undefined || source.pk === pk) &&
      matches([source.name, source.slug]),
  );
  const sorted = sortRows(rows, query.get("ordering"), {
    keys: sortKeys,
    allowed: Object.keys(sortKeys),
    fallback,
  });
  return listAnswer(sorted, { query, traits, write });
}

function plexSources({ directory }: Call): Source[] {
  return directory.sources.filter(({ kind }) => kind === "plex");
}

/** `GET /sources/plex/` */
export function listPlexSources(call: Call): Answer {
  const sources = plexSources(call);
  return listSources(call, {
    sources,
    fallback: ["name"],
    write: (source) => plexSourceBody(source, call.traits),
  });
}

/** `GET /sources/plex/{slug}/` */
export function retrievePlexSource(call: Call): Answer {
  demandPermissionForOne(call);
  const source = plexSources(call).find(({ slug }) => slug === call.key);
  if (source === undefined) throw notFound("PlexSource", call.traits);
  return jsonAnswer(plexSourceBody(source, call.traits));
}

/** `GET /sources/plex/{slug}/used_by/` */
export function listUsesOfPlexSource(call: Call): Answer {
  const isHarmlessStranger = !call.traits.source.decidedByObject && call.caller?.superuser === false;
  if (!isHarmlessStranger) demandPermissionForOne(call);
  const source = plexSources(call).find(({ slug }) => slug === call.key);
  if (source === undefined) throw notFound("PlexSource", call.traits);
  return jsonAnswer(isHarmlessStranger ? [] : usesOfPlexSource(source, call));
}

/** `GET /sources/all/` */
export function listAllSources(call: Call): Answer {
  return listSources(call, {
    sources: call.directory.sources,
    fallback: [],
    write: (source) => sourceBody(source, call.traits),
  });
}

/** `GET /sources/all/{slug}/` */
export function retrieveAnySource(call: Call): Answer {
  demandPermissionForOne(call);
  const source = call.directory.sources.find(({ slug }) => slug === call.key);
  if (source === undefined) throw notFound("Source", call.traits);
  return jsonAnswer(sourceBody(source, call.traits));
}

/** `GET /sources/all/user_settings/`: what a user may connect, for everybody. */
export function listUserSettings(call: Call): Answer {
  if (call.caller === null) throw refuseAnonymous();
  const offered = plexSources(call).filter(({ enabled }) => enabled);
  return jsonAnswer(
    sortRows(offered, undefined, { keys: sortKeys, allowed: [], fallback: ["name"] }).map((source) => ({
      object_uid: source.slug,
      component: "ak-user-settings-source-plex",
      title: source.name,
      configure_url: plexClientId(source),
      icon_url: iconUrl(source, { kindIcon: true, traits: call.traits }),
    })),
  );
}
