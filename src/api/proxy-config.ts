/** The annotation `proxy.istio.io/config`: settings of one pod's sidecar, YAML inside a text. */
import { type YamlNode, yamlDocuments } from "./yaml-documents.ts";

/** @returns its `proxyMetadata`; or, as a text, what is wrong with the annotation */
export function parseProxyMetadata(annotation: string): Readonly<Record<string, string>> | string {
  const [document] = yamlDocuments(annotation);
  if (document === undefined) return {};
  if (document.root === undefined)
    return document.problems.map(({ problem }) => problem).join("; ");
  if (isNothing(document.root)) return {};
  if (document.root.type !== "map")
    return "is not an object; expected YAML such as proxyMetadata: {SECRET_TTL: 24h}";
  const metadata = document.root.entries.get("proxyMetadata")?.node;
  if (metadata === undefined || isNothing(metadata)) return {};
  if (metadata.type !== "map") return "proxyMetadata is not an object; expected names and texts";
  const texts: Record<string, string> = {};
  for (const [name, { node }] of metadata.entries) {
    if (node.type !== "scalar" || typeof node.value !== "string") {
      return `proxyMetadata.${name} is not a text; expected it in quotes`;
    }
    texts[name] = node.value;
  }
  return texts;
}

function isNothing(node: YamlNode): boolean {
  return node.type === "scalar" && node.value === null;
}
