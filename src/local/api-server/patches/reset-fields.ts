/** What a way into an object does not change, whatever is sent. Source: GetResetFields of Kubernetes' strategies. */
import type { ServedKind } from "../kinds/served-kind.ts";
import { FieldSet } from "./field-set.ts";

export function resetFields(kind: ServedKind, subresource: string | undefined): FieldSet {
  if (subresource === undefined) {
    return kind.subresources.includes("status") ? FieldSet.of(["f:status"]) : FieldSet.empty;
  }
  if (subresource !== "status") return FieldSet.empty;
  if (kind.origin === "custom") return FieldSet.of(["f:metadata"], ["f:spec"]);
  return FieldSet.of(["f:spec"], ...(MORE_OF_STATUS[kind.kind] ?? []));
}

const MORE_OF_STATUS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  Deployment: [["f:metadata", "f:labels"]],
  Pod: [
    ["f:metadata", "f:deletionTimestamp"],
    ["f:metadata", "f:ownerReferences"],
  ],
};
