/** Our own structure of a kind as OpenAPI writes it. */
import type { Schema } from "../../../api/schema/schema.ts";
import type { OpenApiSchema } from "./openapi-schema.ts";

export function printedSchema(schema: Schema): OpenApiSchema {
  const nullable = schema.nullable === true ? { nullable: true } : {};
  return { ...unnullable(schema), ...nullable };
}

function unnullable(schema: Schema): OpenApiSchema {
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
        items: printedSchema(schema.item),
        ...given({ minItems: schema.minItems, maxItems: schema.maxItems }),
      };
    case "map":
      return {
        type: "object",
        additionalProperties: printedSchema(schema.value),
        ...given({ minProperties: schema.minProperties, maxProperties: schema.maxProperties }),
      };
    case "object":
      return {
        type: "object",
        properties: Object.fromEntries(
          Object.entries(schema.fields).map(([name, field]) => [name, printedSchema(field)]),
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
