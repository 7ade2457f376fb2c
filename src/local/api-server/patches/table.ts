/** Lists as `kubectl get` shows them: the server prints the cells. Source: meta/v1 Table; apiserver, handlers/response.go. */
import { textAt } from "../kinds/json-access.ts";
import type { JsonObject, KubernetesObject } from "../kinds/kubernetes-object.ts";
import type { PrinterColumn, ServedKind } from "../kinds/served-kind.ts";

export interface TableOptions {
  /** Milliseconds since the epoch, for ages. */
  readonly now: number;
  /** What rows carry of their objects: `includeObject` of the request. */
  readonly carried?: "Metadata" | "None" | "Object";
}

/** @returns a Table without metadata: of which version the list is, its maker knows */
export function tableOf(
  kind: ServedKind,
  objects: readonly KubernetesObject[],
  { now, carried = "Metadata" }: TableOptions,
): JsonObject {
  return {
    kind: "Table",
    apiVersion: "meta.k8s.io/v1",
    metadata: {},
    columnDefinitions: kind.columns.map(definitionOf),
    rows: objects.map((object) => ({
      cells: kind.columns.map((column) => column.cell(object, now)),
      ...conditionsOf(kind, object),
      ...(carried !== "None" && { object: carried === "Object" ? object : metadataOf(object) }),
    })),
  };
}

function definitionOf({ name, type, format, description, priority }: PrinterColumn): JsonObject {
  return { name, type, format, description, priority };
}

export function metadataOf({ metadata }: KubernetesObject): JsonObject {
  return { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata };
}

const ENDED: Readonly<Record<string, string>> = {
  Failed: "The pod failed.",
  Succeeded: "The pod has completed successfully.",
};

/** A Pod that has ended says so, so that it may be left out. */
function conditionsOf({ group, kind }: ServedKind, object: KubernetesObject): JsonObject {
  const phase = textAt(object, "status", "phase");
  const message = group === "" && kind === "Pod" ? ENDED[phase] : undefined;
  if (message === undefined) return {};
  return { conditions: [{ type: "Completed", status: "True", reason: phase, message }] };
}
