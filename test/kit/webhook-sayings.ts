/** What istiod's webhook would say of a resource as a user writes it: of our two gates, that one alone. */
import type { CheckLevel } from "../../src/api/resource.ts";
import { validateResources } from "../../src/api/validate-resources.ts";

export interface Sayings {
  /** As `path: problem`, in the order of lines. */
  readonly faults: readonly string[];
  readonly warnings: readonly string[];
}

const LEVEL: CheckLevel = "webhook";

/** @param text one resource in YAML, whole */
export function webhookSayings(text: string): Sayings {
  const documents = validateResources(text, "mesh.yaml");
  const issues = documents.flatMap((document) => document.issues);
  const notices = documents.flatMap((document) => document.notices);
  return {
    faults: issues
      .filter(({ level }) => level === LEVEL)
      .map(({ path, problem }) => `${path}: ${problem}`),
    warnings: notices
      .filter(({ level }) => level === LEVEL)
      .map(({ path, message }) => `${path}: ${message}`),
  };
}
