/** What the columns of several kinds share. */
import { listAt, textAt, valueAt } from "./json-access.ts";
import type { JsonValue, KubernetesObject } from "./kubernetes-object.ts";
import { printedAge } from "./printed-values.ts";
import type { PrinterColumn } from "./served-kind.ts";

export const NAME_DESCRIPTION: string =
  "Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names";

export const CREATED_DESCRIPTION: string =
  "CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata";

type ColumnOptions = Partial<Pick<PrinterColumn, "type" | "format" | "priority">>;

export function column(
  name: string,
  description: string,
  cell: PrinterColumn["cell"],
  options: ColumnOptions = {},
): PrinterColumn {
  return { name, type: "string", format: "", description, priority: 0, cell, ...options };
}

export const wide: ColumnOptions = { priority: 1 };

export const nameColumn: PrinterColumn = column(
  "Name",
  NAME_DESCRIPTION,
  (object) => object.metadata.name ?? "",
  { format: "name" },
);

export const ageColumn: PrinterColumn = column("Age", CREATED_DESCRIPTION, printedAge);

/** Of built-in kinds for which Kubernetes has no columns of their own. */
export const CREATED_AT_COLUMNS: readonly PrinterColumn[] = [
  nameColumn,
  column("Created At", CREATED_DESCRIPTION, (object) => object.metadata.creationTimestamp ?? null, {
    type: "date",
  }),
];

/** Of what resource definitions say: the value at a path, lists and maps as JSON, null where there is none. */
export function pathColumn(
  name: string,
  description: string,
  path: readonly string[],
  options: ColumnOptions = {},
): PrinterColumn {
  return column(name, description, (object) => printed(valueAt(object, path)), options);
}

/** The status of one condition. */
export function conditionColumn(name: string, type: string): PrinterColumn {
  const path = `.status.conditions[?(@.type=="${type}")].status`;
  return column(name, definitionDescription(path), (object) => conditionStatus(object, type));
}

export function conditionStatus(object: KubernetesObject, type: string): string | null {
  const condition = listAt(object, "status", "conditions").find(
    (one) => textAt(one, "type") === type,
  );
  return condition === undefined ? null : textAt(condition, "status");
}

export function definitionDescription(path: string): string {
  return `Custom resource definition column (in JSONPath format): ${path}`;
}

export function definedAgeColumn(description: string): PrinterColumn {
  return column("Age", description, printedAge, { type: "date" });
}

function printed(value: JsonValue | undefined): JsonValue {
  if (value === undefined) return null;
  return typeof value === "string" ? value : JSON.stringify(value);
}
