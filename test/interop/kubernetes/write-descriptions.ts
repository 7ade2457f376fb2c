/**
 * Writes what Istio says of the fields of its kinds to `src/local/api-server/openapi/istio-descriptions-text.ts`: what
 * `kubectl explain` tells.
 *
 *     node --import tsx test/interop/kubernetes/write-descriptions.ts CRD-ALL.GEN.YAML
 *
 * The file is Istio's manifests/charts/base/files/crd-all.gen.yaml.
 */
import { readFile, writeFile } from "node:fs/promises";
import { parseAllDocuments } from "yaml";
import { SERVED_KINDS } from "../../../src/local/api-server/kinds/served-kinds.ts";

const FILE = "src/local/api-server/openapi/istio-descriptions-text.ts";
const HEAD = `/**
 * What Istio says of the fields of its kinds: one kind a line, \`GROUP/KIND\\tJSON\`, descriptions by path. Written by
 * \`test/interop/kubernetes/write-descriptions.ts\` from Istio's resource definitions; texts are those of the Istio authors
 * (Apache License 2.0).
 */
export const ISTIO_DESCRIPTIONS_TEXT: string = String.raw\`
`;

interface Described {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Described>>;
  readonly items?: Described;
  readonly additionalProperties?: Described | boolean;
}

interface Definition {
  readonly spec: {
    readonly group: string;
    readonly names: { readonly kind: string };
    readonly versions: readonly {
      readonly storage: boolean;
      readonly schema: { readonly openAPIV3Schema: Described };
    }[];
  };
}

const [definitions] = process.argv.slice(2);
if (definitions === undefined) throw new Error("which file holds Istio's resource definitions?");
const lines = parseAllDocuments(await readFile(definitions, "utf8")).flatMap((document) => {
  const definition = document.toJS() as Definition | null;
  if (definition === null) return [];
  const { group, names, versions } = definition.spec;
  const isServed = SERVED_KINDS.some((one) => one.group === group && one.kind === names.kind);
  const stored = versions.find(({ storage }) => storage);
  if (!isServed || stored === undefined) return [];
  const found = Object.fromEntries(descriptionsIn(stored.schema.openAPIV3Schema, []));
  return [`${group}/${names.kind}\t${printed(found)}\n`];
});
await writeFile(FILE, `${HEAD}${lines.sort().join("")}\`;\n`);

/** Items of a list and values of a map have the path of their field. */
function descriptionsIn(schema: Described, path: readonly string[]): [string, string][] {
  const { description, properties = {}, items, additionalProperties } = schema;
  const own: [string, string][] =
    description === undefined ? [] : [[path.join("."), description.trim()]];
  const inner = [items, additionalProperties].flatMap((one) =>
    typeof one === "object" ? descriptionsIn(one, path) : [],
  );
  const fields = Object.entries(properties).flatMap(([name, field]) =>
    descriptionsIn(field, [...path, name]),
  );
  return [...inner, ...fields, ...own]; // what is said of the list itself counts
}

/** As JSON that may stand in a template without escapes. */
function printed(found: object): string {
  return JSON.stringify(found).replaceAll("`", "\\u0060").replaceAll("${", "\\u0024{");
}
