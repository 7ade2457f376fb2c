/**
 * What no sidecar enforces yet. Where files become a running mesh, what would narrow who is let in or out is refused,
 * so that nothing looks enforced that is not; a question about files is answered, with a notice.
 */
import type { AuthorizationPolicy } from "../api/authorization-policy.ts";
import { type ExtensionProvider, isExternalAuthorizer } from "../api/extension-provider.ts";
import { quoted } from "../api/quoted.ts";
import {
  formatLocation,
  formatRef,
  type Issue,
  type Notice,
  type Resource,
} from "../api/resource.ts";
import { providerProblem } from "./applied-authorizers.ts";
import { consequenceOf } from "./authorizer-notices.ts";
import { meshSettingsOf } from "./mesh-snapshot.ts";

/** What each such kind would do, and no sidecar does. */
const NARROWING: ReadonlyMap<string, string> = new Map([
  ["WasmPlugin", "runs WebAssembly"],
  ["EnvoyFilter", "is patched"],
  ["Sidecar", "limits where its workload may go"],
]);

/** A mesh with any of these must not run: each says so, with the way out. */
export function unenforcedIssues(resources: readonly Resource[]): readonly Issue[] {
  return resources.flatMap(({ kind, meta }) => {
    const deed = NARROWING.get(kind);
    if (deed === undefined) return [];
    const ref = formatRef({ kind, ...meta });
    const problem = `${ref} cannot be enforced: no sidecar here ${deed} yet; take it out of the files of a mesh that runs (explain, describe and validate read it)`;
    return [{ source: meta.source, path: "", problem }];
  });
}

/** Those that tell nothing of a place of which an issue is told. */
export function noticesBeside(
  notices: readonly Notice[],
  issues: readonly Issue[],
): readonly Notice[] {
  const told = new Set(issues.map(placeOf));
  return notices.filter((notice) => !told.has(placeOf(notice)));
}

function placeOf({ source, path }: Issue | Notice): string {
  return `${formatLocation(source)} ${path}`;
}

/** What is accepted and does less than it says, or more. */
export function enforcementNotices(resources: readonly Resource[]): readonly Notice[] {
  const { extensionProviders } = meshSettingsOf(resources);
  return resources.flatMap((resource): readonly Notice[] => {
    if (resource.kind !== "AuthorizationPolicy" || resource.action !== "CUSTOM") return [];
    return delegationNotices(resource, extensionProviders);
  });
}

/** AP-120 */
function delegationNotices(
  policy: AuthorizationPolicy,
  providers: readonly ExtensionProvider[],
): readonly Notice[] {
  const { meta, provider: name = "" } = policy;
  const problem = providerProblem(
    name,
    providers.find((one) => one.name === name),
  );
  if (problem === undefined) return [];
  const defined = providers.filter(isExternalAuthorizer).map((one) => one.name);
  const known =
    defined.length === 0 ? "no authorizer is defined" : `defined are: ${defined.join(", ")}`;
  const message = `names the authorizer ${quoted(name)}, and ${problem} (${known}): what this policy matches ${consequenceOf(policy)}`;
  return [{ source: meta.source, path: "spec.provider.name", message }];
}
