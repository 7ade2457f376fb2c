/**
 * What no sidecar enforces yet. Where files become a running mesh, what would narrow who is let in or out is refused,
 * so that nothing looks enforced that is not; a question about files is answered, with a notice.
 */
import {
  formatLocation,
  formatRef,
  type Issue,
  type Notice,
  type Resource,
} from "../api/resource.ts";

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
