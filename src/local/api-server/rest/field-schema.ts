/** Which fields an object of a kind may have, as far as that is known. */
import type { ServedKind } from "../kinds/served-kind.ts";
import { kindDefinition } from "../openapi/kind-definition.ts";
import {
  type OpenApiDefinitions,
  type OpenApiSchema,
  referredName,
} from "../openapi/openapi-schema.ts";
import { apiVersionOf } from "./kind-index.ts";

export interface FieldSchema {
  /** Of the definition, as `Container`; absent where the schema has no name. */
  readonly name?: string;
  /** As OpenAPI says it; absent: any. */
  readonly type?: string;
  readonly format?: string;
  /** Absent: whatever the user likes. */
  readonly fields?: Readonly<Record<string, FieldSchema>>;
  /** Of a map's values. */
  readonly value?: FieldSchema;
  /** Of a list's items. */
  readonly item?: FieldSchema;
}

const known: WeakMap<ServedKind, FieldSchema> = new WeakMap();

export function fieldSchemaOf(kind: ServedKind): FieldSchema {
  const cached = known.get(kind);
  if (cached !== undefined) return cached;
  const { name, definitions } = kindDefinition(kind, apiVersionOf(kind.group, kind.versions[0]));
  const reader = new SchemaReader(definitions);
  const schema = reader.named(name);
  known.set(kind, schema);
  return schema;
}

/** A definition may refer to itself: each is read once, and its parts when they are asked for. */
class SchemaReader {
  readonly #definitions: OpenApiDefinitions;
  readonly #named: Map<string, FieldSchema> = new Map();
  constructor(definitions: OpenApiDefinitions) {
    this.#definitions = definitions;
  }

  named(name: string): FieldSchema {
    const found = this.#named.get(name);
    if (found !== undefined) return found;
    const made: { -readonly [Field in keyof FieldSchema]: FieldSchema[Field] } = {};
    this.#named.set(name, made);
    Object.assign(made, this.#read(this.#definitions.get(name) ?? {}));
    made.name = name.slice(name.lastIndexOf(".") + 1);
    return made;
  }

  #read(schema: OpenApiSchema): FieldSchema {
    const name = referredName(schema);
    if (name !== undefined) return this.named(name);
    const { properties, additionalProperties, items } = schema;
    const isOpen = schema["x-kubernetes-preserve-unknown-fields"] === true;
    const fields =
      properties === undefined
        ? undefined
        : Object.fromEntries(
            Object.entries(properties).map(([field, inner]) => [field, this.#read(inner)]),
          );
    const value =
      typeof additionalProperties === "object"
        ? this.#read(additionalProperties)
        : isOpen
          ? {}
          : undefined;
    return {
      ...(schema.type === undefined ? {} : { type: schema.type }),
      ...(schema.format === undefined ? {} : { format: schema.format }),
      ...(fields === undefined ? {} : { fields }),
      ...(value === undefined ? {} : { value }),
      ...(items === undefined ? {} : { item: this.#read(items) }),
    };
  }
}

/** As a real server, which is written in Go, calls it. */
export function typeOfField({ name, type, format, item, value, fields }: FieldSchema): string {
  switch (type) {
    case "integer":
      return format ?? "int";
    case "number":
      return "float64";
    case "boolean":
      return "bool";
    case "array":
      return `[]${item === undefined ? "interface {}" : typeOfField(item)}`;
    case "object":
      if (name !== undefined && fields !== undefined) return `v1.${name}`;
      return `map[string]${value === undefined ? "interface {}" : typeOfField(value)}`;
    default:
      return type ?? "interface {}";
  }
}
