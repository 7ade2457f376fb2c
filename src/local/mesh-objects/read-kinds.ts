/** Of which kinds the mesh is made. */
import { KIND_PARSERS } from "../../api/kind-parsers.ts";
import { ownKind } from "../../api/known-kinds.ts";
import type { ServedKind } from "../api-server/kinds/served-kind.ts";

/** Whether the mesh is made of such objects; the others it writes itself. */
export function isRead({ kind, group, versions: [version] }: ServedKind): boolean {
  const apiVersion = group === "" ? version : `${group}/${version}`;
  const own = ownKind(kind, apiVersion);
  return own !== undefined && (KIND_PARSERS.get(own)?.apiVersions.includes(apiVersion) ?? false);
}
