/** Schemas as OpenAPI 3.0 has them, as far as kubectl reads them. */
import type { JsonObject, JsonValue } from "../kinds/kubernetes-object.ts";

export interface OpenApiSchema extends JsonObject {
  readonly $ref?: string;
  readonly description?: string;
  readonly type?: string;
  readonly format?: string;
  readonly enum?: readonly string[];
  readonly default?: JsonValue;
  readonly required?: readonly string[];
  readonly properties?: { readonly [name: string]: OpenApiSchema };
  readonly additionalProperties?: OpenApiSchema;
  readonly items?: OpenApiSchema;
  /** One of a reference with a description of its own. */
  readonly allOf?: readonly OpenApiSchema[];
}

/** By name, such as `io.k8s.api.core.v1.Pod`. */
export type OpenApiDefinitions = ReadonlyMap<string, OpenApiSchema>;

const PREFIX = "#/components/schemas/";

export function referenceTo(name: string): string {
  return `${PREFIX}${name}`;
}

/** @returns the name of the definition that a schema stands for; undefined for one that stands for itself */
export function referredName({ $ref, allOf }: OpenApiSchema): string | undefined {
  const reference = $ref ?? allOf?.[0]?.$ref;
  return reference?.startsWith(PREFIX) === true ? reference.slice(PREFIX.length) : undefined;
}
