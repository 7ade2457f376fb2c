/** The OpenAPI definition of a served kind, with those it refers to. */
import { ownKind } from "../../../api/known-kinds.ts";
import { schemaOfKind } from "../../../api/schema/schema-of-kind.ts";
import type { ServedKind } from "../kinds/served-kind.ts";
import { coreDefinitionName, coreDefinitions } from "./core-definitions.ts";
import { fieldDescriptions } from "./istio-descriptions.ts";
import { kindDescription } from "./kind-descriptions.ts";
import {
  type OpenApiDefinitions,
  type OpenApiSchema,
  referenceTo,
  referredName,
} from "./openapi-schema.ts";
import { printedSchema } from "./printed-schema.ts";

const OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

export interface KindDefinition {
  /** Of the kind itself among the definitions. */
  readonly name: string;
  readonly definitions: OpenApiDefinitions;
}

/** @param apiVersion in which it is spoken of */
export function kindDefinition(kind: ServedKind, apiVersion: string): KindDefinition {
  const core = coreDefinitionName(apiVersion, kind.kind);
  const name = core ?? `${reversed(kind.group)}.${apiVersion.split("/").at(-1)}.${kind.kind}`;
  const definitions = new Map<string, OpenApiSchema>();
  if (core === undefined) definitions.set(name, definedSchema(kind, apiVersion));
  gather(core ?? OBJECT_META, definitions);
  return { name, definitions };
}

/** As an API server writes down a resource definition. */
function definedSchema(kind: ServedKind, apiVersion: string): OpenApiSchema {
  const [group = "", version = ""] = apiVersion.split("/");
  const description = kindDescription(kind);
  const own = schemaOfKind(ownKind(kind.kind, apiVersion) ?? kind.kind);
  const printed = own === undefined ? ANYTHING : printedSchema(own, fieldDescriptions(kind));
  const { apiVersion: _, kind: __, metadata: ___, status, ...fields } = printed.properties ?? {};
  return {
    type: "object",
    ...(description === undefined ? {} : { description }),
    ...(printed.required === undefined ? {} : { required: printed.required }),
    properties: {
      apiVersion: { type: "string", description: API_VERSION },
      kind: { type: "string", description: KIND },
      metadata: { description: METADATA, allOf: [{ $ref: referenceTo(OBJECT_META) }] },
      ...fields,
      status: { ...PRESERVED, ...status },
    },
    ...(own === undefined ? { "x-kubernetes-preserve-unknown-fields": true } : {}),
    "x-kubernetes-group-version-kind": [{ group, kind: kind.kind, version }],
  };
}

const PRESERVED: OpenApiSchema = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
const ANYTHING: OpenApiSchema = { type: "object", properties: { spec: PRESERVED } };
const API_VERSION =
  "APIVersion defines the versioned schema of this representation of an object. Servers should convert recognized schemas to the latest internal value, and may reject unrecognized values. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#resources";
const KIND =
  "Kind is a string value representing the REST resource this object represents. Servers may infer this from the endpoint the client submits requests to. Cannot be updated. In CamelCase. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds";
const METADATA =
  "Standard object's metadata. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata";

function gather(name: string, definitions: Map<string, OpenApiSchema>): void {
  const schema = coreDefinitions().get(name);
  if (schema === undefined || definitions.has(name)) return;
  definitions.set(name, schema);
  for (const inner of referredBy(schema)) gather(inner, definitions);
}

function referredBy(schema: OpenApiSchema): readonly string[] {
  const { properties = {}, items, additionalProperties } = schema;
  const inner = [...Object.values(properties), items, additionalProperties];
  const own = referredName(schema);
  return [
    ...(own === undefined ? [] : [own]),
    ...inner.flatMap((one) => (typeof one === "object" ? referredBy(one) : [])),
  ];
}

/** `io.istio.security` of `security.istio.io`. */
function reversed(group: string): string {
  return group.split(".").reverse().join(".");
}
