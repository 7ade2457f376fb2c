/** Texts in, one judgement for each practice out. */

import type { AskedText } from "./analyze-texts.ts";
import { AnalyzedMesh } from "./analyzed-mesh.ts";
import type { AuditedMesh, Judgement, Practice } from "./practice.ts";
import { PRACTICES } from "./practices.ts";

export interface AuditedPractice
  extends Pick<Judgement, "verdict" | "evidence">,
    Pick<Practice, "id" | "practice" | "fix"> {}

/** @param facts.live of a mesh that runs; absent: what no file says cannot be told */
export function auditTexts(
  texts: readonly AskedText[],
  { now, ...facts }: Omit<AuditedMesh, "mesh"> & { readonly now: Date },
): readonly AuditedPractice[] {
  const asked = { mesh: new AnalyzedMesh(texts, { now }), ...facts };
  return PRACTICES.map((one) => {
    const { id, practice } = one;
    const { verdict, evidence, fix = one.fix, namespaces = [] } = one.judge(asked);
    return { id, practice, fix: fixIn(fix, namespaces), verdict, evidence };
  });
}

/** Once for each namespace; as it is where none is known. */
function fixIn(fix: string, namespaces: readonly string[]): string {
  if (namespaces.length === 0) return fix;
  const between = fix.startsWith("apiVersion") ? "\n---\n" : "\n";
  return namespaces.map((name) => fix.replaceAll("NAMESPACE", name)).join(between);
}
