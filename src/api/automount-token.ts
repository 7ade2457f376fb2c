/**
 * Whether a pod is given a token of its service account as a file.
 * Source: https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/
 */
import type { Fields } from "./decoder.ts";

/** "unset" leaves it to the next in line: the pod, its ServiceAccount, and in the end "on". */
export type AutomountToken = "on" | "off" | "unset";

const FIELD = "automountServiceAccountToken";

/** @param fields a pod's `spec`, or a ServiceAccount */
export function automountToken(fields: Fields): AutomountToken {
  const on = fields.flag(FIELD, "on");
  if (!fields.has(FIELD)) return "unset";
  return on ? "on" : "off";
}

/** @param account the ServiceAccount, if there is a resource for it */
export function effectiveAutomountToken(
  pod: { readonly automountToken: AutomountToken },
  account: { readonly automountToken: AutomountToken } | undefined,
): "on" | "off" {
  const first = [pod, account].find((one) => one && one.automountToken !== "unset");
  return first?.automountToken === "off" ? "off" : "on";
}
