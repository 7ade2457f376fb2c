/** Holds an object to what is known of its kind: fields that it does not have are taken off, and told; so are values of a wrong type. */
import { isJsonList, isJsonObject } from "../kinds/json-access.ts";
import type { JsonValue, KubernetesObject } from "../kinds/kubernetes-object.ts";
import type { ServedKind } from "../kinds/served-kind.ts";
import { type FieldSchema, fieldSchemaOf, typeOfField } from "./field-schema.ts";

/** More are not told. */
const MAX_TOLD = 100;

export interface KnownFields {
  /** Without what is unknown. */
  readonly object: KubernetesObject;
  /** Paths such as `spec.ports[0].nme`. */
  readonly unknown: readonly string[];
  /** What is wrong with the first value of a wrong type; absent: all are right. */
  readonly mistyped: string | undefined;
}

/** Of kinds that resource definitions bring, the types of metadata alone are looked at: what admits them knows the rest. */
export function knownFields(kind: ServedKind, object: KubernetesObject): KnownFields {
  const schema = fieldSchemaOf(kind);
  const walk = new Walk(kind.origin === "built-in" ? "everything" : "metadata");
  const known = walk.value(object, { schema, owner: kind.kind, path: "", names: [] });
  const { unknown, mistyped } = walk;
  if (!isJsonObject(known) || unknown.length === 0) return { object, unknown, mistyped };
  const { apiVersion, kind: name, metadata } = object;
  return { object: { metadata, ...known, apiVersion, kind: name }, unknown, mistyped };
}

interface Place {
  readonly schema: FieldSchema | undefined;
  /** The type that the field belongs to. */
  readonly owner: string;
  readonly path: string;
  /** Of fields from the root, without items and keys. */
  readonly names: readonly string[];
}

class Walk {
  readonly unknown: string[] = [];
  mistyped: string | undefined;
  readonly #typed: "everything" | "metadata";

  constructor(typed: "everything" | "metadata") {
    this.#typed = typed;
  }

  value(value: JsonValue, place: Place): JsonValue {
    const { schema, path } = place;
    if (schema === undefined || value === null) return value;
    if (!this.#isOfType(value, place)) return value;
    const owner = schema.name ?? place.owner;
    if (isJsonList(value))
      return value.map((item, index) =>
        this.value(item, { ...place, owner, schema: schema.item, path: `${path}[${index}]` }),
      );
    if (!isJsonObject(value)) return value;
    const fields = Object.entries(value).flatMap(([name, field]): [string, JsonValue][] => {
      if (field === undefined) return [];
      const inner = path === "" ? name : `${path}.${name}`;
      const own = ownField(schema, name);
      if (own !== undefined) {
        const names = [...place.names, name];
        return [[name, this.value(field, { schema: own, owner, path: inner, names })]];
      }
      if (schema.fields === undefined || schema.value !== undefined) {
        const { names } = place;
        return [[name, this.value(field, { schema: schema.value, owner, path: inner, names })]];
      }
      if (this.unknown.length < MAX_TOLD) this.unknown.push(inner);
      return [];
    });
    return Object.fromEntries(fields);
  }

  #isOfType(value: JsonValue, { schema, owner, names }: Place): boolean {
    const isLooked = this.#typed === "everything" || names[0] === "metadata";
    if (schema?.type === undefined || !isLooked) return true;
    const found = typeOf(value);
    const isRight = schema.type === found || (schema.type === "number" && found === "integer");
    if (isRight) return true;
    this.mistyped ??= `json: cannot unmarshal ${spoken(found)} into Go struct field ${owner}.${names.join(".")} of type ${typeOfField(schema)}`;
    return false;
  }
}

function ownField({ fields }: FieldSchema, name: string): FieldSchema | undefined {
  return fields !== undefined && Object.hasOwn(fields, name) ? fields[name] : undefined;
}

function typeOf(value: JsonValue): string {
  if (isJsonList(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
}

function spoken(type: string): string {
  if (type === "integer") return "number";
  return type === "boolean" ? "bool" : type;
}
