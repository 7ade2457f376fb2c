/** Issues and notices as lines that editors and terminals turn into links. */
import { formatLocation, type Issue, type Notice } from "../api/resource.ts";

/** `mesh.yaml:12: error: spec.mtls.mode is ...` */
export function formatIssue({ source, path, problem }: Issue): string {
  return `${formatLocation(source)}: error: ${[path, problem].filter((part) => part !== "").join(" ")}`;
}

export function formatNotice({ source, path, message }: Notice): string {
  return `${formatLocation(source)}: note: ${[path, message].filter((part) => part !== "").join(" ")}`;
}

/** What Istio's webhook would let pass with a warning. */
export function formatWarning({ source, path, message }: Notice): string {
  return `${formatLocation(source)}: warning: ${[path, message].filter((part) => part !== "").join(" ")}`;
}
