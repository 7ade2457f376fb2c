/** `exportTo`: the namespaces that may see a resource, as Istio's webhook judges it (VAL-65). */
import type { Fields } from "../decoder.ts";
import { quoted } from "../quoted.ts";
import { isDnsLabel } from "./host-name.ts";

/** Only a ServiceEntry may say `~` (no one); a DestinationRule with a selector is for its own namespace only. */
export type ExportToOwner = "ServiceEntry" | "selecting DestinationRule" | "other";

export function checkExportTo(
  spec: Fields,
  { namespace, owner }: { readonly namespace: string; readonly owner: ExportToOwner },
): void {
  const written = spec.texts("exportTo");
  const exported = new Set<string>();
  for (const [item, text] of written.entries()) {
    const name = text === "." ? namespace : text;
    const problem = exported.has(name)
      ? `${quoted(name)} is given twice`
      : entryProblem(name, owner);
    if (problem === undefined) exported.add(name);
    else spec.report({ name: "exportTo", item }, problem);
  }
  const alone = written.length === 1;
  if (exported.has("*") && !alone) {
    spec.report("exportTo", 'has "*" and namespaces: "*" stands alone');
  }
  if (exported.has("~") && !alone) {
    spec.report("exportTo", 'has "~" and namespaces: "~" stands alone');
  }
  if (owner === "selecting DestinationRule" && reachesBeyond(exported, namespace)) {
    spec.report("exportTo", 'must be only "." in a rule with workloadSelector');
  }
}

function entryProblem(name: string, owner: ExportToOwner): string | undefined {
  if (name === "*" || isDnsLabel(name) || (name === "~" && owner === "ServiceEntry")) {
    return undefined;
  }
  return `${quoted(name)} is neither a namespace nor "." or "*"`;
}

function reachesBeyond(exported: ReadonlySet<string>, namespace: string): boolean {
  return [...exported].some((name) => name !== namespace);
}
