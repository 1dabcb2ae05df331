/** Releases of authentik that the sandbox can answer as, oldest first. A name stands for its last patch release. */
export const SANDBOX_RELEASES = [
  "2024.2",
  "2024.6",
  "2024.8",
  "2024.12",
  "2025.2",
  "2025.4",
  "2025.8",
  "2025.10",
  "2025.12",
  "2026.8",
] as const;

/** One of {@link SANDBOX_RELEASES}. */
export type SandboxRelease = (typeof SANDBOX_RELEASES)[number];

/** What tells one release's API from another's, as far as the sandbox serves it. */
export interface ReleaseTraits {
  release: SandboxRelease;
  /** What `admin/version/` says. */
  fullVersion: string;
  connection: {
    /** `source` object · UUID with `source_obj` beside it. */
    source: "object" | "uuid";
    /** Stored Plex tokens are shown in clear to whoever sees the connection. */
    plexToken: boolean;
    /** Absent · before `identifier` · after `identifier` together with `last_updated`. */
    created: "absent" | "before-identifier" | "with-last-updated";
    /** Name of the model, as errors and OPTIONS have it. */
    modelName: string;
    viewDescription: string;
    /** The fields that a search looks at. */
    searched: readonly ("source__slug" | "user__username" | "identifier")[];
    /** `?user=` filters; before, it is ignored. */
    userFilter: boolean;
    defaultOrdering: readonly string[];
    /** Whether `user` may be written, as OPTIONS says. */
    userWritable: boolean;
  };
  source: {
    propertyMappings: boolean;
    groupMatchingMode: boolean;
    promoted: boolean;
    /** Nullable URL in `icon` · stored name in `icon` with `icon_url` and `icon_themed_urls` beside it. */
    icon: "url" | "stored-name";
    /** A source without an icon of its own shows the one of its kind, except inside a connection. */
    kindIcon: boolean;
    pbmUuidFilter: boolean;
    slugMaxLength: number | null;
    /**
     * Routes of one source look at what the caller may view, and refuse in those words even without credentials.
     * Before, strangers get an empty `used_by/`.
     */
    decidedByObject: boolean;
  };
  /** Who sees a connection besides its owner: superusers only · also who holds the global view permission. */
  grants: "superuser" | "global-permission";
  /** Asking for one connection without credentials ends in an uncaught error: a 500 page. */
  anonymousRetrieveFails: boolean;
  /** Django REST framework 3.16 instead of 3.14: texts of 404, empty `page=`, quotes and NUL in searches. */
  restFramework: "3.14" | "3.16";
  /** The renderer names a charset and escapes no line separators. */
  renderer: "rest-framework" | "orjson";
  /** Lists end with `autocomplete`. */
  autocomplete: boolean;
  /** Answers name their language and vary with it. */
  localized: boolean;
  pageSize: { default: number; max: number | null };
  /** How the router in front answers while authentik starts. */
  starting: "502" | "200" | "503";
  healthStatus: 200 | 204;
}

const fullVersions: Record<SandboxRelease, string> = {
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
};

/** The traits of one release, each from the release that brought it. */
export function traitsOf(release: SandboxRelease): ReleaseTraits {
  const position = SANDBOX_RELEASES.indexOf(release);
  const since = (first: SandboxRelease): boolean => position >= SANDBOX_RELEASES.indexOf(first);
  return {
    release,
    fullVersion: fullVersions[release],
    connection: {
      source: since("2024.12") ? "uuid" : "object",
      plexToken: !since("2024.8"),
      created: since("2025.4") ? "with-last-updated" : since("2024.8") ? "before-identifier" : "absent",
      modelName: since("2024.8") ? "UserPlexSourceConnection" : "PlexSourceConnection",
      viewDescription: since("2025.4") ? "" : "Plex Source connection Serializer",
      searched: since("2025.4") ? ["user__username", "source__slug", "identifier"] : ["source__slug"],
      userFilter: since("2024.8"),
      defaultOrdering: since("2024.8") ? ["source__slug", "pk"] : ["pk"],
      userWritable: since("2024.12") && !since("2026.8"),
    },
    source: {
      propertyMappings: since("2024.8"),
      groupMatchingMode: since("2024.8"),
      promoted: since("2025.12"),
      icon: since("2025.12") ? "stored-name" : "url",
      kindIcon: since("2024.6"),
      pbmUuidFilter: since("2025.2"),
      slugMaxLength: since("2025.12") ? null : 50,
      decidedByObject: since("2024.8"),
    },
    grants: since("2025.2") ? "global-permission" : "superuser",
    anonymousRetrieveFails: since("2025.2"),
    restFramework: since("2025.4") ? "3.16" : "3.14",
    renderer: since("2024.8") ? "orjson" : "rest-framework",
    autocomplete: since("2025.8"),
    localized: since("2025.10"),
    pageSize: since("2025.12") ? { default: 20, max: 100 } : { default: 100, max: null },
    starting: since("2026.8") ? "503" : since("2025.10") ? "200" : "502",
    healthStatus: since("2024.8") ? 200 : 204,
  };
}
