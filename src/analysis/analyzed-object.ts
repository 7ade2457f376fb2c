/** One object as it is written, whatever its kind: analyzers also look at kinds that nothing here runs. */
import type { Labels } from "../api/resource.ts";
import { type YamlNode, yamlDocuments } from "../api/yaml-documents.ts";
import { Field } from "./field.ts";

export interface AnalyzedObject {
  /** As written; a Gateway of the Gateway API is a "KubernetesGateway". */
  readonly kind: string;
  /** "default" where none is written, "" where the kind lives in none. */
  readonly namespace: string;
  readonly name: string;
  /** `VirtualService shop/cart`: the namespace only where it is written. */
  readonly title: string;
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly file: string;
  readonly root: Field;
  readonly spec: Field;
}

const OF_NO_NAMESPACE: ReadonlySet<string> = new Set([
  "Namespace",
  "Node",
  "CustomResourceDefinition",
  "MutatingWebhookConfiguration",
  "ValidatingWebhookConfiguration",
  "GatewayClass",
]);

/** What a text holds; documents that are no objects, or cannot be read, are somebody else's to refuse. */
export interface AnalyzedText {
  readonly objects: readonly AnalyzedObject[];
  /** A document without kind and apiVersion: Istio's mesh configuration. */
  readonly meshConfigs: readonly Field[];
}

export function readAnalyzedText(text: string, file: string): AnalyzedText {
  const roots = yamlDocuments(text).flatMap(({ root }) => (root === undefined ? [] : flat(root)));
  const fields = roots.map((root) => new Field(root, root.line));
  return {
    objects: fields.filter((root) => root.at("kind").text !== "").map((root) => read(root, file)),
    meshConfigs: fields.filter((root) => !root.at("kind").exists && !root.at("apiVersion").exists),
  };
}

function flat(root: YamlNode): readonly YamlNode[] {
  if (root.type !== "map") return [];
  const field = new Field(root, root.line);
  const items = root.entries.get("items")?.node;
  const isList = field.at("kind").text.endsWith("List") || field.at("kind").text === "List";
  return isList && items?.type === "list" ? items.items.flatMap(flat) : [root];
}

function read(root: Field, file: string): AnalyzedObject {
  const kind = kindOf(root);
  const metadata = root.at("metadata");
  const name = metadata.at("name").text;
  const written = OF_NO_NAMESPACE.has(kind) ? "" : metadata.at("namespace").text;
  return {
    kind,
    namespace: OF_NO_NAMESPACE.has(kind) ? "" : written || "default",
    name,
    title: `${root.at("kind").text} ${written === "" ? name : `${written}/${name}`}`,
    labels: metadata.at("labels").labels,
    annotations: metadata.at("annotations").labels,
    file,
    root,
    spec: root.at("spec"),
  };
}

function kindOf(root: Field): string {
  const kind = root.at("kind").text;
  const group = root.at("apiVersion").text.split("/")[0];
  return kind === "Gateway" && group === "gateway.networking.k8s.io" ? "KubernetesGateway" : kind;
}
