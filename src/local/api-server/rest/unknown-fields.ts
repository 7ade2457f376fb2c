/** Fields that a kind does not have: they are taken off, and told. */
import { isJsonList, isJsonObject } from "../kinds/json-access.ts";
import type { JsonValue, KubernetesObject } from "../kinds/kubernetes-object.ts";
import type { ServedKind } from "../kinds/served-kind.ts";
import { type FieldSchema, fieldSchemaOf } from "./field-schema.ts";

/** More are not told. */
const MAX_TOLD = 100;

/** @returns `unknown`: paths such as `spec.ports[0].nme` */
export function pruned(
  kind: ServedKind,
  object: KubernetesObject,
): { readonly object: KubernetesObject; readonly unknown: readonly string[] } {
  const schema = fieldSchemaOf(kind);
  const unknown: string[] = [];
  const known = walk(object, { schema, path: "", unknown });
  if (!isJsonObject(known) || unknown.length === 0) return { object, unknown };
  const { apiVersion, kind: name, metadata } = object;
  return { object: { metadata, ...known, apiVersion, kind: name }, unknown };
}

interface Place {
  readonly schema: FieldSchema | undefined;
  readonly path: string;
  readonly unknown: string[];
}

function walk(value: JsonValue, { schema, path, unknown }: Place): JsonValue {
  if (schema === undefined) return value;
  if (isJsonList(value))
    return value.map((item, index) =>
      walk(item, { schema: schema.item, path: `${path}[${index}]`, unknown }),
    );
  if (!isJsonObject(value)) return value;
  const known = Object.entries(value).flatMap(([name, field]): [string, JsonValue][] => {
    if (field === undefined) return [];
    const inner = path === "" ? name : `${path}.${name}`;
    const own =
      schema.fields !== undefined && Object.hasOwn(schema.fields, name)
        ? schema.fields[name]
        : undefined;
    if (own === undefined && schema.fields !== undefined && schema.value === undefined) {
      if (unknown.length < MAX_TOLD) unknown.push(inner);
      return [];
    }
    return [[name, walk(field, { schema: own ?? schema.value, path: inner, unknown })]];
  });
  return Object.fromEntries(known);
}
