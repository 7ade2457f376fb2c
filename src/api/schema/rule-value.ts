/** What of a value counts: for its structure, and as the rules of its schema see it. */
import type { YamlNode, YamlScalar } from "../yaml-documents.ts";
import type { RuleValue } from "./cel-rule.ts";
import type { ObjectSchema, Schema } from "./schema.ts";

/** @returns undefined for a field that the schema does not know */
export function fieldSchema({ fields }: ObjectSchema, name: string): Schema | undefined {
  return Object.hasOwn(fields, name) ? fields[name] : undefined;
}

/** Whether a field is as good as absent: null, where null is no value of its own. */
export function isLeftOut(schema: Schema, node: YamlNode): boolean {
  return node.type === "scalar" && node.value === null && schema.nullable !== true;
}

/** Only what the schema knows, and no null: to a rule both are not there. The structure must be sound. */
export function ruleValue(schema: Schema, node: YamlNode): RuleValue {
  if (node.type === "scalar") return scalarValue(schema, node);
  if (node.type === "list") {
    return schema.type === "list" ? node.items.map((item) => ruleValue(schema.item, item)) : [];
  }
  const known = new Map<string, RuleValue>();
  for (const [name, { node: value }] of node.entries) {
    const field = schemaAt(schema, name);
    const isNull = value.type === "scalar" && value.value === null;
    if (field !== undefined && !isNull) known.set(name, ruleValue(field, value));
  }
  return known;
}

function schemaAt(schema: Schema, name: string): Schema | undefined {
  if (schema.type === "map") return schema.value;
  return schema.type === "object" ? fieldSchema(schema, name) : undefined;
}

function scalarValue(schema: Schema, { value }: YamlScalar): RuleValue {
  if (typeof value === "number" && schema.type === "integer") return BigInt(value);
  return value ?? "";
}
