/** What an encoder has to know of the fields of a message, looked up once. */
import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { FeatureSet_FieldPresence } from "@bufbuild/protobuf/wkt";

/** How values of a field are written; undefined: not by us. */
type Written =
  | { readonly as: "text" | "flag" | "number" }
  | { readonly as: "name"; readonly numbers: ReadonlyMap<string, number> }
  | { readonly as: "message"; readonly of: DescMessage };

export interface FieldPlan {
  /** In JSON. */
  readonly name: string;
  readonly number: number;
  readonly written: Written | undefined;
  readonly holds: "one" | "list" | "map";
  /** Whether a value that is the type's zero is left out; never in lists and maps. */
  readonly leavesOutZero: boolean;
  /** Of several fields with the same group one alone may be there. */
  readonly group: object | undefined;
}

/** By name in JSON. */
export type MessagePlan = ReadonlyMap<string, FieldPlan>;

const plans: WeakMap<DescMessage, MessagePlan> = new WeakMap();

export function messagePlan(message: DescMessage): MessagePlan {
  const known = plans.get(message);
  if (known !== undefined) return known;
  const plan = new Map(message.fields.map((field) => [field.jsonName, planOf(field)]));
  plans.set(message, plan);
  return plan;
}

function planOf(field: DescField): FieldPlan {
  const { jsonName: name, number, oneof, presence } = field;
  const isSingle = field.fieldKind !== "list" && field.fieldKind !== "map";
  const leavesOutZero = isSingle && presence === FeatureSet_FieldPresence.IMPLICIT;
  const base = { name, number, group: oneof, leavesOutZero };
  switch (field.fieldKind) {
    case "list": {
      const isPacked = field.listKind !== "message" && field.scalar !== ScalarType.STRING;
      return { ...base, holds: "list", written: isPacked ? undefined : writtenOf(field) };
    }
    case "map": {
      const isByText = field.mapKey === ScalarType.STRING;
      return { ...base, holds: "map", written: isByText ? writtenOf(field) : undefined };
    }
    default:
      return { ...base, holds: "one", written: writtenOf(field) };
  }
}

function writtenOf(field: DescField): Written | undefined {
  if (field.message !== undefined) {
    const isGroup = "delimitedEncoding" in field && field.delimitedEncoding;
    return isGroup ? undefined : { as: "message", of: field.message };
  }
  if (field.enum !== undefined) {
    const numbers = field.enum.values.map(({ name, number }) => [name, number] as const);
    return numbers.some(([, number]) => number < 0)
      ? undefined
      : { as: "name", numbers: new Map(numbers) };
  }
  switch (field.scalar) {
    case ScalarType.STRING:
      return { as: "text" };
    case ScalarType.BOOL:
      return { as: "flag" };
    case ScalarType.UINT32:
      return { as: "number" };
    default:
      return undefined;
  }
}
