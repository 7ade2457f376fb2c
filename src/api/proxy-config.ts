/** The annotation `proxy.istio.io/config`: settings of one pod's sidecar, YAML inside a text. */
import { Fields } from "./decoder.ts";
import { readGatewayTopology, type WrittenGatewayTopology } from "./gateway-topology-settings.ts";
import { meshProxySchema } from "./mesh-proxy-schema.ts";
import { ParseReport } from "./parse-report.ts";
import type { WrittenProxyHeaders } from "./proxy-headers.ts";
import { readProxyHeaders } from "./read-proxy-headers.ts";
import { checkSchema } from "./schema/check-schema.ts";
import { type YamlMap, type YamlNode, yamlDocuments } from "./yaml-documents.ts";

export const PROXY_CONFIG_ANNOTATION = "proxy.istio.io/config";

export interface ProxyConfig {
  readonly proxyMetadata: Readonly<Record<string, string>>;
  /** Absent: it says nothing of them. */
  readonly proxyHeaders?: WrittenProxyHeaders;
  /** Absent: it says nothing of it. */
  readonly gatewayTopology?: WrittenGatewayTopology;
  /** How many processes share the sidecar's ports; 0: one for each core. Absent: it says nothing of it. */
  readonly concurrency?: number;
}

/** @returns what is carried here; or, as a text, what is wrong with the annotation */
export function parseProxyConfig(annotation: string): ProxyConfig | string {
  const root = rootOf(annotation);
  if (root === undefined) return { proxyMetadata: {} };
  if (typeof root === "string") return root;
  const proxyMetadata = metadataIn(root);
  if (typeof proxyMetadata === "string") return proxyMetadata;
  const proxyHeaders = headersIn(root);
  if (typeof proxyHeaders === "string") return proxyHeaders;
  const gatewayTopology = topologyIn(root);
  if (typeof gatewayTopology === "string") return gatewayTopology;
  const concurrency = concurrencyIn(root);
  if (typeof concurrency === "string") return concurrency;
  return {
    proxyMetadata,
    ...(proxyHeaders && { proxyHeaders }),
    ...(gatewayTopology && { gatewayTopology }),
    ...(concurrency !== undefined && { concurrency }),
  };
}

/** @returns undefined where nothing is said */
function rootOf(annotation: string): YamlMap | string | undefined {
  const [document] = yamlDocuments(annotation);
  if (document === undefined) return undefined;
  const { root, problems } = document;
  if (root === undefined) return problems.map(({ problem }) => problem).join("; ");
  if (isNothing(root)) return undefined;
  if (root.type === "map") return root;
  return "is not an object; expected YAML such as proxyMetadata: {SECRET_TTL: 24h}";
}

function metadataIn(root: YamlMap): Readonly<Record<string, string>> | string {
  const metadata = root.entries.get("proxyMetadata")?.node;
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

function headersIn(root: YamlMap): WrittenProxyHeaders | string | undefined {
  const headers = sectionIn(root, "proxyHeaders");
  return headers instanceof Fields ? readProxyHeaders(headers) : headers;
}

function topologyIn(root: YamlMap): WrittenGatewayTopology | string | undefined {
  const topology = sectionIn(root, "gatewayTopology");
  return topology instanceof Fields ? readGatewayTopology(topology) : topology;
}

/** @returns undefined where nothing is said; as a text, what is wrong with its structure */
function sectionIn(root: YamlMap, path: string): Fields | string | undefined {
  const node = root.entries.get(path)?.node;
  const schema = meshProxySchema.fields[path];
  if (node === undefined || schema === undefined || isNothing(node)) return undefined;
  const report = new ParseReport("");
  checkSchema(schema, { node, path, report });
  const [issue] = report.issues;
  if (issue !== undefined) return `${issue.path} ${issue.problem}`;
  if (node.type !== "map") return undefined;
  return new Fields(node, { line: node.line, path, report });
}

function concurrencyIn(root: YamlMap): number | string | undefined {
  const node = root.entries.get("concurrency")?.node;
  if (node === undefined || isNothing(node)) return undefined;
  const value = node.type === "scalar" ? node.value : undefined;
  return typeof value === "number" && Number.isInteger(value) && value >= 0
    ? value
    : "concurrency is no number of processes; expected 0, for one for each core, or more";
}

function isNothing(node: YamlNode): boolean {
  return node.type === "scalar" && node.value === null;
}
