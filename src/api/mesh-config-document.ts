/**
 * The four ways people write mesh configuration: a bare MeshConfig, Helm values, an IstioOperator, and the ConfigMap
 * `istio` of a running mesh. All end in the same MeshConfig.
 */
import { Fields } from "./decoder.ts";
import {
  MESH_CONFIG_FIELDS,
  MESH_CONFIG_NAME,
  type MeshConfig,
  meshConfig,
} from "./mesh-config.ts";
import { DEFAULT_MESH_SETTINGS } from "./mesh-settings.ts";
import type { ParseReport } from "./parse-report.ts";
import type { ResourceMeta } from "./resource.ts";
import { resourceMeta } from "./resource-meta.ts";
import { subdomainProblem } from "./resource-names.ts";
import { type YamlNode, type YamlScalar, yamlDocuments } from "./yaml-documents.ts";

const OPERATOR_API_VERSION = "install.istio.io/v1alpha1";

const UNUSED_OPERATOR_FIELDS = [
  "addonComponents",
  "compatibilityVersion",
  "components",
  "hub",
  "installPackagePath",
  "namespace",
  "profile",
  "revision",
  "tag",
  "unvalidatedValues",
  "values",
];

/** Top-level values of Istio's Helm charts beside `meshConfig`. */
const UNUSED_HELM_VALUES = [
  "_internal_defaults_do_not_set",
  "affinity",
  "autoscaleBehavior",
  "autoscaleEnabled",
  "autoscaleMax",
  "autoscaleMin",
  "base",
  "cni",
  "compatibilityVersion",
  "configMap",
  "cpu",
  "defaultRevision",
  "deploymentAnnotations",
  "deploymentLabels",
  "env",
  "envVarFrom",
  "experimental",
  "extraContainerArgs",
  "gatewayClasses",
  "gateways",
  "global",
  "hub",
  "image",
  "initContainers",
  "ipFamilies",
  "ipFamilyPolicy",
  "istio_cni",
  "istiodRemote",
  "jwksResolverExtraRootCA",
  "keepaliveMaxServerConnectionAge",
  "memory",
  "nodeSelector",
  "ownerName",
  "pdb",
  "pilot",
  "podAnnotations",
  "podLabels",
  "profile",
  "replicaCount",
  "resources",
  "revision",
  "revisionTags",
  "rollingMaxSurge",
  "rollingMaxUnavailable",
  "seccompProfile",
  "serviceAccountAnnotations",
  "serviceAnnotations",
  "sidecarInjectorWebhook",
  "sidecarInjectorWebhookAnnotations",
  "tag",
  "taint",
  "telemetry",
  "tolerations",
  "topologySpreadConstraints",
  "traceSampling",
  "trustedZtunnelName",
  "trustedZtunnelNamespace",
  "variant",
  "volumeMounts",
  "volumes",
  "ztunnel",
];

interface Reading {
  readonly report: ParseReport;
  readonly file: string;
}

/** @returns undefined when the document is no mesh configuration */
export function meshConfigDocument(root: Fields, reading: Reading): MeshConfig | undefined {
  const meta: ResourceMeta = {
    apiVersion: root.text("apiVersion") ?? "",
    namespace: "",
    name: MESH_CONFIG_NAME,
    labels: {},
    annotations: {},
    source: { file: reading.file, line: root.line },
  };
  switch (root.text("kind")) {
    case "IstioOperator":
      return operatorDocument(root, { meta, reading });
    case "ConfigMap":
      return isMeshConfigMap(root) ? configMapDocument(root, { meta, reading }) : undefined;
    case undefined:
      return root.has("kind") ? undefined : documentWithoutKind(root, { meta, reading });
    default:
      return undefined;
  }
}

interface MeshDocument {
  readonly meta: ResourceMeta;
  readonly reading: Reading;
}

function documentWithoutKind(
  root: Fields,
  { meta, reading }: MeshDocument,
): MeshConfig | undefined {
  const { report } = reading;
  if (root.mentions("meshConfig")) {
    root.unused(UNUSED_HELM_VALUES);
    return meshConfig(meta, { config: root.section("meshConfig"), report });
  }
  const known = root.names().some((name) => MESH_CONFIG_FIELDS.has(name));
  return known ? meshConfig(meta, { config: root, report }) : undefined;
}

function operatorDocument(root: Fields, { meta, reading }: MeshDocument): MeshConfig {
  if (meta.apiVersion !== OPERATOR_API_VERSION) {
    root.report(
      "apiVersion",
      `is not an apiVersion of IstioOperator; expected ${OPERATOR_API_VERSION}`,
    );
  }
  root.accept(["metadata", "status"]);
  const spec = root.section("spec");
  spec.unused(UNUSED_OPERATOR_FIELDS);
  return meshConfig(meta, { config: spec.section("meshConfig"), report: reading.report });
}

/** Anywhere but in Istio's own namespace, a ConfigMap of that name may be somebody else's. */
function isMeshConfigMap(root: Fields): boolean {
  const metadata = root.section("metadata");
  if (metadata.text("name") !== MESH_CONFIG_NAME) return false;
  const { rootNamespace } = DEFAULT_MESH_SETTINGS;
  return metadata.text("namespace") === rootNamespace || root.section("data").mentions("mesh");
}

function configMapDocument(root: Fields, { meta, reading }: MeshDocument): MeshConfig {
  if (meta.apiVersion !== "v1")
    root.report("apiVersion", "is not an apiVersion of ConfigMap; expected v1");
  const { labels, annotations, creationTimestamp } = resourceMeta(root.section("metadata"), {
    apiVersion: meta.apiVersion,
    file: reading.file,
    scope: "namespaced",
    nameProblem: subdomainProblem,
    at: root,
  });
  root.unused(["binaryData", "immutable"]);
  const data = root.section("data");
  data.unused(data.names().filter((name) => name !== "mesh"));
  const mesh = data.scalar("mesh");
  if (mesh === undefined) data.report("mesh", "is missing; expected the text of a MeshConfig");
  const fields = embeddedFields(mesh, { data, reading });
  const config = meshConfig(
    { ...meta, labels, annotations, ...withTime(creationTimestamp) },
    { config: fields, report: reading.report },
  );
  fields.end();
  return config;
}

function withTime(creationTimestamp: string | undefined): { creationTimestamp?: string } {
  return creationTimestamp === undefined ? {} : { creationTimestamp };
}

/** The MeshConfig written as text inside the ConfigMap, with lines of the file around it. */
function embeddedFields(
  mesh: YamlScalar | undefined,
  { data, reading }: { readonly data: Fields; readonly reading: Reading },
): Fields {
  const position = { line: mesh?.line ?? data.line, path: "data.mesh", report: reading.report };
  if (mesh === undefined) return new Fields({ entries: new Map() }, position);
  const documents = yamlDocuments(String(mesh.value), mesh.lineOfText);
  for (const { line, problem } of documents.flatMap(({ problems }) => problems)) {
    reading.report.issue({ line, path: position.path }, problem);
  }
  if (documents.length > 1) data.report("mesh", "has several documents; expected one");
  const root: YamlNode | undefined = documents[0]?.root;
  if (root !== undefined && root.type !== "map")
    data.report("mesh", "is no MeshConfig; expected a map");
  const map = root?.type === "map" ? root : { entries: new Map() };
  return new Fields(map, position);
}
