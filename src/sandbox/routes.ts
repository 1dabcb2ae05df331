import type { Answer } from "./answer.ts";
import { jsonAnswer } from "./answer.ts";
import type { Call } from "./call.ts";
import { listConnections, listUsesOfConnection, retrieveConnection } from "./connection-views.ts";
import { describeConnection, describeConnectionList, describeView } from "./metadata.ts";
import {
  listAllSources,
  listPlexSources,
  listUserSettings,
  listUsesOfPlexSource,
  retrieveAnySource,
  retrievePlexSource,
} from "./source-views.ts";
import { listSourceTypes } from "./source-types.ts";

/** One route of the API. */
export interface Route {
  /** Matches the decoded path below `/api/v3`; its group, if any, names an object. */
  pattern: RegExp;
  /** The methods that authentik names in `Allow`; the sandbox itself only reads. */
  allow: string;
  get: (call: Call) => Answer;
  options: (call: Call) => Answer;
}

const readList = "GET, HEAD, OPTIONS";
const writeList = "GET, POST, HEAD, OPTIONS";
const writeOne = "GET, PUT, PATCH, DELETE, HEAD, OPTIONS";
const deleteOne = "GET, DELETE, HEAD, OPTIONS";

/** What stands for every client of a server, asked before credentials are known. */
function showConfig({ traits }: Call): Answer {
  return jsonAnswer({
    error_reporting: {
      enabled: false,
      environment: "customer",
      send_pii: false,
      traces_sample_rate: 0.1,
    },
    capabilities: ["can_impersonate", "is_enterprise"],
    cache_timeout: 300,
    cache_timeout_flows: 300,
    cache_timeout_policies: 300,
    cache_timeout_reputation: traits.source.propertyMappings ? 0 : 300,
  });
}

/** The routes of the sandbox, the first match counts. */
export const ROUTES: readonly Route[] = [
  {
    pattern: /^\/sources\/user_connections\/plex\/$/,
    allow: writeList,
    get: listConnections,
    options: describeConnectionList,
  },
  {
    pattern: /^\/sources\/user_connections\/plex\/([^/.]+)\/$/,
    allow: writeOne,
    get: retrieveConnection,
    options: describeConnection,
  },
  {
    pattern: /^\/sources\/user_connections\/plex\/([^/.]+)\/used_by\/$/,
    allow: readList,
    get: listUsesOfConnection,
    options: ({ traits }) => describeView("Used by", traits.connection.viewDescription),
  },
  {
    pattern: /^\/sources\/plex\/$/,
    allow: writeList,
    get: listPlexSources,
    options: () => describeView("Plex Source List", "Plex source Viewset"),
  },
  {
    pattern: /^\/sources\/plex\/([^/.]+)\/$/,
    allow: writeOne,
    get: retrievePlexSource,
    options: () => describeView("Plex Source Instance", "Plex source Viewset"),
  },
  {
    pattern: /^\/sources\/plex\/([^/.]+)\/used_by\/$/,
    allow: readList,
    get: listUsesOfPlexSource,
    options: () => describeView("Used by", "Plex source Viewset"),
  },
  {
    pattern: /^\/sources\/all\/$/,
    allow: readList,
    get: listAllSources,
    options: () => describeView("Source List", "Source Viewset"),
  },
  {
    pattern: /^\/sources\/all\/types\/$/,
    allow: readList,
    get: listSourceTypes,
    options: () => describeView("Types", "Get all creatable source types"),
  },
  {
    pattern: /^\/sources\/all\/user_settings\/$/,
    allow: readList,
    get: listUserSettings,
    options: () => describeView("User settings", "Get all sources the user can configure"),
  },
  {
    pattern: /^\/sources\/all\/([^/.]+)\/$/,
    allow: deleteOne,
    get: retrieveAnySource,
    options: () => describeView("Source Instance", "Source Viewset"),
  },
  {
    pattern: /^\/root\/config\/$/,
    allow: readList,
    get: showConfig,
    options: () => describeView("Config", "Read-only view set that returns the current session's Configs"),
  },
];
