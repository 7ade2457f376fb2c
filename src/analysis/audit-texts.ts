/** Texts in, one judgement for each practice out. */

import { type AskedText, analyzeTexts } from "./analyze-texts.ts";
import { AnalyzedMesh } from "./analyzed-mesh.ts";
import type { Judgement, LiveFacts, Practice } from "./practice.ts";
import { PRACTICES } from "./practices.ts";

export interface AuditedPractice extends Judgement, Pick<Practice, "id" | "practice" | "fix"> {}

/** @param live of a mesh that runs; absent: what no file says cannot be told */
export function auditTexts(
  texts: readonly AskedText[],
  live?: LiveFacts,
): readonly AuditedPractice[] {
  const mesh = new AnalyzedMesh(texts);
  const gateway = live === undefined ? "assumed" : "written";
  const asked = { mesh, findings: analyzeTexts(texts, { gateway }), ...(live && { live }) };
  return PRACTICES.map((one) => {
    const { id, practice, fix } = one;
    return { id, practice, fix, ...one.judge(asked) };
  });
}
