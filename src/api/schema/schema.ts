/**
 * The language in which the structure of a kind is written down: the part of Kubernetes' structural schemas that
 * Istio's resource definitions use. A schema is plain data; `checkSchema` reads it.
 */
import type { Rule } from "./rule.ts";

export type Schema =
  | TextSchema
  | ChoiceSchema
  | NumberSchema
  | FlagSchema
  | ListSchema
  | MapSchema
  | ObjectSchema
  | AnythingSchema;

interface Common {
  /** Whether null is a value of its own; elsewhere a field that is null is not given, and an item that is null is a fault. */
  readonly nullable?: true;
  /** Judged only where the structure is right. */
  readonly rules?: readonly Rule[];
}

export interface TextSchema extends Common {
  readonly type: "text";
  /** Lengths count characters, not UTF-16 code units. */
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: RegExp;
  /** "base64": bytes in the alphabet of RFC 4648 section 4, padded. */
  readonly format?: "base64";
  /** What is expected, in words, where quotes around what stands there would not mend it: `a duration such as "5s"`. */
  readonly meaning?: string;
}

export interface ChoiceSchema extends Common {
  readonly type: "choice";
  readonly values: readonly string[];
}

export interface NumberSchema extends Common {
  readonly type: "integer" | "number";
  readonly min?: number;
  readonly max?: number;
}

export interface FlagSchema extends Common {
  readonly type: "flag";
}

export interface ListSchema extends Common {
  readonly type: "list";
  readonly item: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  /** The field that tells the items apart: no two have the same. */
  readonly uniqueBy?: string;
}

/** Keys are the user's. */
export interface MapSchema extends Common {
  readonly type: "map";
  readonly value: Schema;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  /** Judged of each key. */
  readonly keys?: readonly Rule[];
}

export interface ObjectSchema extends Common {
  readonly type: "object";
  readonly fields: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  /** Protobuf's oneofs: of each group, at most one field is given. */
  readonly atMostOneOf?: readonly (readonly string[])[];
  /** Said of an unknown field that is like no known one: where what is meant belongs. */
  readonly advice?: string;
}

/** "map": a map of whatever the user likes; "value": not looked at. */
export interface AnythingSchema extends Common {
  readonly type: "anything";
  readonly shape: "map" | "value";
}

type Options<S extends Schema, Given extends keyof S = never> = Omit<S, "type" | Given>;

export const text = (options: Options<TextSchema> = {}): TextSchema => ({
  type: "text",
  ...options,
});

export const choice = (values: readonly string[]): ChoiceSchema => ({ type: "choice", values });

export const integer = (options: Options<NumberSchema> = {}): NumberSchema => ({
  type: "integer",
  ...options,
});

export const int32 = (options: Options<NumberSchema> = {}): NumberSchema =>
  integer({ min: -(2 ** 31), max: 2 ** 31 - 1, ...options });

export const uint32 = (options: Options<NumberSchema> = {}): NumberSchema =>
  integer({ min: 0, max: 2 ** 32 - 1, ...options });

export const double = (options: Options<NumberSchema> = {}): NumberSchema => ({
  type: "number",
  ...options,
});

export const flag = (options: Options<FlagSchema> = {}): FlagSchema => ({
  type: "flag",
  ...options,
});

export const list = (item: Schema, options: Options<ListSchema, "item"> = {}): ListSchema => ({
  type: "list",
  item,
  ...options,
});

export const mapOf = (value: Schema, options: Options<MapSchema, "value"> = {}): MapSchema => ({
  type: "map",
  value,
  ...options,
});

export const object = (
  fields: ObjectSchema["fields"],
  options: Options<ObjectSchema, "fields"> = {},
): ObjectSchema => ({ type: "object", fields, ...options });

export const anyMap: AnythingSchema = { type: "anything", shape: "map" };

const anyValue: AnythingSchema = { type: "anything", shape: "value" };

/**
 * A whole document around a `spec`. `metadata` is checked as that of any resource is; `status` is what servers write,
 * and no client.
 */
export const resource = (spec: ObjectSchema, need: "optional" | "required"): ObjectSchema =>
  object(
    { apiVersion: anyValue, kind: anyValue, metadata: anyValue, spec, status: anyValue },
    need === "required" ? { required: ["spec"] } : {},
  );
