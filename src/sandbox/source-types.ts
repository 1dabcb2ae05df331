import type { Answer } from "./answer.ts";
import { jsonAnswer } from "./answer.ts";
import type { Call } from "./call.ts";
import { refuseAnonymous } from "./tokens.ts";

/**
 * `GET /sources/all/types/`: kinds of sources that could be made. The sandbox names the first ones of a real server
 * and those that it holds; a real server names more.
 */
export function listSourceTypes({ caller, traits }: Call): Answer {
  if (caller === null) throw refuseAnonymous();
  const type = (
    name: string,
    description: string,
    component: string,
    model: string,
    icon: string,
  ): unknown => ({
    name,
    description,
    component,
    model_name: model,
    ...(traits.source.kindIcon && { icon_url: `/static/authentik/sources/${icon}` }),
    requires_enterprise: false,
  });
  const oauth = (name: string, description: string, model: string): unknown =>
    type(`${name} OAuth Source`, description, "ak-source-oauth-form", `${model}oauthsource`, `${model}.svg`);
  const deprecated = traits.restFramework === "3.16" ? "(Deprecated) " : "";
  return jsonAnswer([
    oauth("Apple", "Social Login using Apple.", "apple"),
    oauth("Azure AD", `${deprecated}Social Login using Azure AD.`, "azuread"),
    oauth("Discord", "Social Login using Discord.", "discord"),
    type("LDAP Source", "Federate LDAP directories.", "ak-source-ldap-form", "ldapsource", "ldap.png"),
    type("Plex Source", "Authenticate against plex.tv", "ak-source-plex-form", "plexsource", "plex.svg"),
  ]);
}
