import type { Call } from "./call.ts";
import type { Source } from "./directory.ts";
import { PLEX_GROUP_CONNECTION, PLEX_MAPPINGS } from "./directory.ts";

/** Real servers draw this one at random. */
const schedulePk = "5eed0000-0000-4000-8000-000000000031";

/** What refers to a Plex source, in the words of the release. */
export function usesOfPlexSource(source: Source, { directory, traits }: Call): unknown[] {
  const old = !traits.source.propertyMappings;
  const [cascade, cascadeMany] = old ? ["CASCADE", "CASCADE_MANY"] : ["cascade", "cascade_many"];
  const use = (app: string, model: string, pk: string, name: string, action = cascade): unknown => ({
    app,
    model_name: model,
    pk,
    name,
    action,
  });
  const mapping = ({ pk, name }: { pk: string; name: string }): unknown =>
    use("authentik_core", "propertymapping", pk, `Property Mapping ${name}`, cascadeMany);
  const connections = [...directory.connections.values()].filter((row) => row.source === source);
  const { pk: groupConnection, group } = PLEX_GROUP_CONNECTION;
  const isConnectedToGroup = !old && source.slug === PLEX_GROUP_CONNECTION.source;
  const task = "authentik.sources.plex.tasks.check_plex_token";
  return [
    ...(!old && source.groupPropertyMappings.length > 0 ? [mapping(PLEX_MAPPINGS.group)] : []),
    ...(isConnectedToGroup
      ? [
          use(
            "authentik_core",
            "groupsourceconnection",
            String(groupConnection),
            `Group-source connection (group=${group}, source=${source.pk})`,
          ),
        ]
      : []),
    ...(traits.autocomplete
      ? [use("authentik_tasks_schedules", "schedule", schedulePk, `Schedule ${task}:${task}:${source.slug}`)]
      : []),
    ...(!old && source.userPropertyMappings.length > 0 ? [mapping(PLEX_MAPPINGS.user)] : []),
    ...connections.map(({ user }) =>
      use("authentik_core", "user", String(user.pk), user.username, cascadeMany),
    ),
    ...connections.map(({ pk, user }) =>
      use(
        "authentik_core",
        "usersourceconnection",
        String(pk),
        old
          ? `UserSourceConnection object (${pk})`
          : `User-source connection (user=${user.pk}, source=${source.pk})`,
      ),
    ),
  ];
}
