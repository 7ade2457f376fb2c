/** CUSTOM policies that refuse all they match, since nobody can be asked: what a mesh that runs has wrong with it (AP-120, EA-30). */
import { formatLocation, type Resource } from "../api/resource.ts";
import { authorizerNotices } from "./authorizer-notices.ts";

/**
 * Policies on trial refuse nobody.
 *
 * @returns a sentence each, with its place
 */
export function unaskablePolicies(all: readonly Resource[]): readonly string[] {
  const resources = all.filter((one) => one.kind !== "AuthorizationPolicy" || !one.dryRun);
  return authorizerNotices(resources).map(
    ({ source, path, message }) => `${formatLocation(source)} ${path} ${message}`,
  );
}
