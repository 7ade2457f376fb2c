/** `exportTo`: the namespaces a resource of the networking API is for (VAL-65). */
import type { Fields } from "./decoder.ts";
import { quoted } from "./quoted.ts";
import { labelNameProblem } from "./resource-names.ts";

/**
 * Reads the `exportTo` of a resource in `namespace`.
 *
 * @returns names of namespaces, "." written out as the own one; or ["*"], which an absent list means too
 */
export function exportTo(spec: Fields, namespace: string): readonly string[] {
  const written = spec.texts("exportTo", exportProblem);
  return written.length === 0 ? ["*"] : written.map((name) => (name === "." ? namespace : name));
}

/** Marks a resource whose `exportTo` says nothing: the mesh configuration may say for all of them whom they are for. */
export interface Exported {
  /** Names of namespaces; ["*"] for all. */
  readonly exportTo: readonly string[];
  readonly exportedByDefault?: true;
}

/** As `exportTo`, with the mark. */
export function exported(spec: Fields, namespace: string): Exported {
  const isSilent = spec.itemCount("exportTo") === 0;
  return { exportTo: exportTo(spec, namespace), ...(isSilent && { exportedByDefault: true }) };
}

/** Istio accepts upper case as well, which no namespace has. */
function exportProblem(text: string): string | undefined {
  if (text === "." || text === "*" || labelNameProblem(text) === undefined) return undefined;
  return `${quoted(text)} is neither a namespace nor "." or "*"`;
}
