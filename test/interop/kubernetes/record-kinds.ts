/** What a real kube-apiserver tells of the kinds that ours serves too. */
import { SERVED_KINDS } from "../../../src/local/api-server/kinds/served-kinds.ts";
import type { RecordedKind } from "../../kit/kubernetes/recorded-kind.ts";
import type { RealApiServer } from "./real-api-server.ts";

interface ApiResource {
  readonly name: string;
  readonly singularName: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
}

interface DefinedSchema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, DefinedSchema>>;
  readonly additionalProperties?: DefinedSchema;
  readonly items?: DefinedSchema;
  readonly "x-kubernetes-list-type"?: string;
  readonly "x-kubernetes-list-map-keys"?: readonly string[];
  readonly "x-kubernetes-preserve-unknown-fields"?: boolean;
}

interface Definition {
  readonly spec: {
    readonly versions: readonly {
      readonly name: string;
      readonly schema: { readonly openAPIV3Schema: DefinedSchema };
    }[];
  };
}

/** Kinds that no real server here serves, Hauberk's own and the Gateway API's, are left out. */
export async function recordKinds(real: RealApiServer): Promise<RecordedKind[]> {
  const recorded: RecordedKind[] = [];
  for (const { group, versions, kind, plural, origin } of SERVED_KINDS) {
    const apiVersion = group === "" ? versions[0] : `${group}/${versions[0]}`;
    const path = group === "" ? `/api/${apiVersion}` : `/apis/${apiVersion}`;
    const { status, body } = await real.call({ method: "GET", path });
    if (status === 404) continue;
    const { resources } = body as { resources: ApiResource[] };
    const found = resources.find(({ name }) => name === plural);
    if (found === undefined) throw new Error(`${path} has no ${plural}`);
    const below = resources.filter(({ name }) => name.startsWith(`${plural}/`));
    recorded.push({
      apiVersion,
      kind,
      plural,
      singular: found.singularName,
      shortNames: found.shortNames ?? [],
      categories: found.categories ?? [],
      namespaced: found.namespaced,
      verbs: [...found.verbs].sort(),
      subresources: below.map(({ name }) => name.slice(plural.length + 1)).sort(),
      ...(origin === "custom" && {
        fields: await definedFields(real, `${plural}.${group}`, versions[0]),
      }),
    });
  }
  return recorded;
}

async function definedFields(
  real: RealApiServer,
  name: string,
  version: string,
): Promise<string[]> {
  const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}`;
  const { body } = await real.call({ method: "GET", path });
  const { versions } = (body as Definition).spec;
  const schema = versions.find((one) => one.name === version)?.schema.openAPIV3Schema;
  return [...fieldsOf(schema?.properties?.["spec"] ?? {}, ".spec")];
}

function* fieldsOf(schema: DefinedSchema, path: string): Generator<string> {
  if (schema["x-kubernetes-preserve-unknown-fields"]) {
    yield `${path}.?`;
  } else if (schema.type === "object") {
    for (const [name, one] of Object.entries(schema.properties ?? {}))
      yield* fieldsOf(one, `${path}.${name}`);
    if (schema.additionalProperties) yield* fieldsOf(schema.additionalProperties, `${path}.*`);
    if (!schema.properties && !schema.additionalProperties) yield path;
  } else if (schema.type === "array" && schema["x-kubernetes-list-type"] === "map") {
    const keys = schema["x-kubernetes-list-map-keys"] ?? [];
    yield* fieldsOf(schema.items ?? {}, `${path}[${keys.join(",")}]`);
  } else yield path;
}
