/** The structure that a resource definition's schema makes of a kind. Source: kube-openapi, schemaconv. */
import type { Schema } from "../../../api/schema/schema.ts";
import type { Structure } from "./structure.ts";
import { ATOMIC, FREE, mapOf, metadata, typed } from "./structure-parts.ts";

/** Of what all of Istio's kinds report; more than that may be in it. */
const status: Structure = {
  type: "map",
  fields: { conditions: ATOMIC, observedGeneration: ATOMIC, validationMessages: ATOMIC },
  other: FREE,
};

export function schemaStructure(schema: Schema): Structure {
  if (schema.type !== "object") throw new RangeError("a kind whose schema is no object");
  const { spec } = schema.fields;
  return typed({ metadata, status, ...(spec !== undefined && { spec: structureOf(spec) }) });
}

function structureOf(schema: Schema): Structure {
  switch (schema.type) {
    case "object": {
      const fields = Object.entries(schema.fields);
      return typed(Object.fromEntries(fields.map(([name, field]) => [name, structureOf(field)])));
    }
    case "map":
      return mapOf(structureOf(schema.value));
    case "anything":
      return FREE;
    case "list":
      return schema.uniqueBy === undefined
        ? ATOMIC
        : { type: "list", keys: [schema.uniqueBy], item: structureOf(schema.item) };
    default:
      return ATOMIC;
  }
}
