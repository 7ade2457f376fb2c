/** Our own structure of a kind as OpenAPI writes it. */
import type { Schema } from "../../../api/schema/schema.ts";
import type { OpenApiSchema } from "./openapi-schema.ts";

/** What is said of a field, by its path; a list's items and a map's values have the path of their field. */
export type Descriptions = ReadonlyMap<string, string>;

const NONE: Descriptions = new Map();

export function printedSchema(schema: Schema, descriptions: Descriptions = NONE): OpenApiSchema {
  return printedAt(schema, { descriptions, path: [] });
}

interface Place {
  readonly descriptions: Descriptions;
  readonly path: readonly string[];
}

function printedAt(schema: Schema, place: Place): OpenApiSchema {
  const nullable = schema.nullable === true ? { nullable: true } : {};
  return { ...unnullable(schema, place), ...nullable };
}

/** An item is no field: nothing is said of it again. */
function printedField(schema: Schema, place: Place): OpenApiSchema {
  const description = place.descriptions.get(place.path.join("."));
  const printed = printedAt(schema, place);
  return description === undefined ? printed : { ...printed, description };
}

function unnullable(schema: Schema, place: Place): OpenApiSchema {
  switch (schema.type) {
    case "text":
      return {
        type: "string",
        ...given({ minLength: schema.minLength, maxLength: schema.maxLength }),
        ...given({ pattern: schema.pattern?.source }),
        ...(schema.format === undefined ? {} : { format: "byte" }),
      };
    case "choice":
      return { type: "string", enum: schema.values };
    case "integer":
    case "number":
      return { type: schema.type, ...given({ minimum: schema.min, maximum: schema.max }) };
    case "flag":
      return { type: "boolean" };
    case "list":
      return {
        type: "array",
        items: printedAt(schema.item, place),
        ...given({ minItems: schema.minItems, maxItems: schema.maxItems }),
      };
    case "map":
      return {
        type: "object",
        additionalProperties: printedAt(schema.value, place),
        ...given({ minProperties: schema.minProperties, maxProperties: schema.maxProperties }),
      };
    case "object":
      return {
        type: "object",
        properties: Object.fromEntries(
          Object.entries(schema.fields).map(([name, field]) => [
            name,
            printedField(field, { ...place, path: [...place.path, name] }),
          ]),
        ),
        ...(schema.required === undefined ? {} : { required: schema.required }),
      };
    case "anything":
      return schema.shape === "map"
        ? { type: "object", "x-kubernetes-preserve-unknown-fields": true }
        : { "x-kubernetes-preserve-unknown-fields": true };
  }
}

function given(fields: Readonly<Record<string, number | string | undefined>>): OpenApiSchema {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
