/** Findings of analyzers as istioctl writes them, with the place that editors turn into a link. */
import type { Finding } from "../analysis/finding.ts";
import { formatLocation } from "../api/resource.ts";

/** `Error [IST0101] (VirtualService shop/cart mesh.yaml:12) Referenced host not found: "cart"` */
export function formatFinding({ level, code, resource, source, message }: Finding): string {
  const where = [resource, formatLocation(source)].filter((part) => part !== "").join(" ");
  return `${level} [${code}] (${where}) ${message}`;
}

/** As `istioctl analyze --output json` has it, with the line beside. */
export function findingInJson(finding: Finding): object {
  const { code, level, message, name, resource, source } = finding;
  const reference = source.file === "" ? undefined : formatLocation(source);
  return { code, level, message, name, origin: resource, reference };
}
