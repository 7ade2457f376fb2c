/** The one door from text to resources: YAML in; typed resources, issues and notices out. */
import { authorizationPolicy } from "./authorization-policy.ts";
import { type CheckedKind, checkedResource } from "./checked-resource.ts";
import { closestName } from "./closest-name.ts";
import { configMap } from "./config-map.ts";
import { type Check, Fields } from "./decoder.ts";
import { deployment } from "./deployment.ts";
import { destinationRule } from "./destination-rule.ts";
import { imageCommands } from "./image-commands.ts";
import { job } from "./job.ts";
import { UNSUPPORTED_KINDS } from "./known-kinds.ts";
import { meshConfigDocument } from "./mesh-config-document.ts";
import { namespace } from "./namespace.ts";
import { networkPolicy } from "./network-policy.ts";
import { ParseReport } from "./parse-report.ts";
import { peerAuthentication } from "./peer-authentication.ts";
import { quoted } from "./quoted.ts";
import { requestAuthentication } from "./request-authentication.ts";
import type { Issue, Notice, Resource, ResourceKind, ResourceMeta } from "./resource.ts";
import { resourceMeta } from "./resource-meta.ts";
import { labelNameProblem, serviceNameProblem, subdomainProblem } from "./resource-names.ts";
import { checkSchema } from "./schema/schema.ts";
import { schemaOfKind } from "./schema/schema-of-kind.ts";
import { secret } from "./secret.ts";
import { service } from "./service.ts";
import { serviceAccount } from "./service-account.ts";
import { statefulSet } from "./stateful-set.ts";
import { webhookOfKind } from "./webhook/webhook-of-kind.ts";
import { type YamlDocument, type YamlNode, yamlDocuments } from "./yaml-documents.ts";

export interface ParsedResources {
  readonly resources: readonly Resource[];
  readonly issues: readonly Issue[];
  readonly notices: readonly Notice[];
}

interface KindParser {
  readonly apiVersions: readonly string[];
  readonly scope: "namespaced" | "cluster";
  readonly nameProblem: Check;
  /** Reads what `schemaOfKind` and `webhookOfKind` found good, where the kind is Istio's. */
  parse(meta: ResourceMeta, root: Fields): Resource;
}

const SECURITY_VERSIONS = ["security.istio.io/v1", "security.istio.io/v1beta1"];
const NETWORKING_VERSIONS = [
  "networking.istio.io/v1",
  "networking.istio.io/v1beta1",
  "networking.istio.io/v1alpha3",
];

const TELEMETRY_VERSIONS = ["telemetry.istio.io/v1", "telemetry.istio.io/v1alpha1"];

function checkedKind(kind: CheckedKind, apiVersions: readonly string[]): KindParser {
  return {
    apiVersions,
    scope: "namespaced",
    nameProblem: subdomainProblem,
    parse: checkedResource(kind),
  };
}

const KINDS: { readonly [kind in Exclude<ResourceKind, "MeshConfig">]: KindParser } = {
  Namespace: {
    apiVersions: ["v1"],
    scope: "cluster",
    nameProblem: labelNameProblem,
    parse: namespace,
  },
  ServiceAccount: {
    apiVersions: ["v1"],
    scope: "namespaced",
    nameProblem: subdomainProblem,
    parse: serviceAccount,
  },
  Service: {
    apiVersions: ["v1"],
    scope: "namespaced",
    nameProblem: serviceNameProblem,
    parse: service,
  },
  Deployment: {
    apiVersions: ["apps/v1"],
    scope: "namespaced",
    nameProblem: subdomainProblem,
    parse: deployment,
  },
  StatefulSet: {
    apiVersions: ["apps/v1"],
    scope: "namespaced",
    nameProblem: labelNameProblem,
    parse: statefulSet,
  },
  Job: {
    apiVersions: ["batch/v1"],
    scope: "namespaced",
    nameProblem: subdomainProblem,
    parse: job,
  },
  ConfigMap: {
    apiVersions: ["v1"],
    scope: "namespaced",
    nameProblem: subdomainProblem,
    parse: configMap,
  },
  Secret: {
    apiVersions: ["v1"],
    scope: "namespaced",
    nameProblem: subdomainProblem,
    parse: secret,
  },
  PeerAuthentication: {
    apiVersions: SECURITY_VERSIONS,
    scope: "namespaced",
    nameProblem: subdomainProblem,
    parse: peerAuthentication,
  },
  AuthorizationPolicy: {
    apiVersions: SECURITY_VERSIONS,
    scope: "namespaced",
    nameProblem: subdomainProblem,
    parse: authorizationPolicy,
  },
  DestinationRule: {
    apiVersions: NETWORKING_VERSIONS,
    scope: "namespaced",
    nameProblem: subdomainProblem,
    parse: destinationRule,
  },
  RequestAuthentication: {
    apiVersions: SECURITY_VERSIONS,
    scope: "namespaced",
    nameProblem: subdomainProblem,
    parse: requestAuthentication,
  },
  Telemetry: checkedKind("Telemetry", TELEMETRY_VERSIONS),
  EnvoyFilter: checkedKind("EnvoyFilter", NETWORKING_VERSIONS),
  Gateway: checkedKind("Gateway", NETWORKING_VERSIONS),
  ProxyConfig: checkedKind("ProxyConfig", NETWORKING_VERSIONS),
  ServiceEntry: checkedKind("ServiceEntry", NETWORKING_VERSIONS),
  Sidecar: checkedKind("Sidecar", NETWORKING_VERSIONS),
  VirtualService: checkedKind("VirtualService", NETWORKING_VERSIONS),
  WasmPlugin: checkedKind("WasmPlugin", ["extensions.istio.io/v1alpha1"]),
  WorkloadEntry: checkedKind("WorkloadEntry", NETWORKING_VERSIONS),
  WorkloadGroup: checkedKind("WorkloadGroup", NETWORKING_VERSIONS),
  NetworkPolicy: {
    apiVersions: ["networking.k8s.io/v1"],
    scope: "namespaced",
    nameProblem: subdomainProblem,
    parse: networkPolicy,
  },
  ImageCommands: {
    apiVersions: ["hauberk.dev/v1"],
    scope: "cluster",
    nameProblem: subdomainProblem,
    parse: imageCommands,
  },
};

/**
 * Reads all documents of a text, `kind: List` included. Never throws.
 *
 * @param file as it shall appear in issues and in `meta.source`
 * @returns every issue of every document; a document with an issue gives no resource
 */
export function parseResources(text: string, file: string): ParsedResources {
  const parsed = yamlDocuments(text).map((document) => parseDocument(document, file));
  return {
    resources: parsed.flatMap(({ resources }) => resources),
    issues: parsed.flatMap(({ issues }) => issues),
    notices: parsed.flatMap(({ notices }) => notices),
  };
}

/** One fault that several checks find is told once, as the first says it. */
function toldOnce(issues: readonly Issue[]): readonly Issue[] {
  const places = new Map<string, Issue>();
  return issues.filter((issue) => {
    const place = `${issue.source.line} ${issue.path}`;
    const first = places.get(place);
    if (first === undefined) places.set(place, issue);
    return first === undefined || first.level === issue.level;
  });
}

function parseDocument({ root, problems }: YamlDocument, file: string): ParsedResources {
  const report = new ParseReport(file);
  for (const { line, problem } of problems) report.issue({ line, path: "" }, problem);
  if (root === undefined) return { resources: [], issues: report.issues, notices: [] };
  const resources = readNode(root, { report, file });
  return {
    resources: report.issues.length === 0 ? resources : [],
    issues: toldOnce(report.issues).toSorted((one, other) => one.source.line - other.source.line),
    notices: report.notices(root.line),
  };
}

interface Reading {
  readonly report: ParseReport;
  readonly file: string;
}

function readNode(node: YamlNode, { report, file }: Reading): readonly Resource[] {
  if (node.type !== "map") {
    report.issue(
      { line: node.line, path: "" },
      "is not a resource; expected a map with apiVersion and kind",
    );
    return [];
  }
  const root = new Fields(node, { line: node.line, path: "", report });
  const resources = readDocument(root, { report, file });
  if (resources !== "not-read") root.end();
  return resources === "not-read" ? [] : resources;
}

/** "not-read" when the kind is not ours, so that its fields are not judged either. */
function readDocument(root: Fields, reading: Reading): readonly Resource[] | "not-read" {
  const kind = root.text("kind");
  if (kind !== "List" || root.text("apiVersion") !== "v1") return readResource(root, reading);
  root.accept(["metadata"]);
  return root.list("items").flatMap((item) => {
    const resources = readResource(item, reading);
    if (resources === "not-read") item.acceptAll();
    return resources === "not-read" ? [] : resources;
  });
}

function readResource(root: Fields, { report, file }: Reading): readonly Resource[] | "not-read" {
  const mesh = meshConfigDocument(root, { report, file });
  if (mesh !== undefined) return [mesh];
  const kind = root.text("kind");
  if (kind === undefined) return refuseMissingKind(root);
  const parser = Object.hasOwn(KINDS, kind) ? KINDS[kind as keyof typeof KINDS] : undefined;
  if (parser === undefined) return refuseKind(root, kind);
  const apiVersion = root.requiredText("apiVersion");
  if (!parser.apiVersions.includes(apiVersion)) {
    if (root.has("apiVersion")) {
      const accepted = parser.apiVersions.join(", ");
      root.report(
        "apiVersion",
        `${quoted(apiVersion)} is not an apiVersion of ${kind}; expected ${accepted}`,
      );
    }
    return "not-read";
  }
  root.accept(["status"]);
  const meta = resourceMeta(root.section("metadata"), { ...parser, apiVersion, file, at: root });
  checkAsIstio(root, { kind, meta, report });
  return [parser.parse(meta, root)];
}

/** Both gates always: a user sees what either would say (VAL-2: the schema refuses unknown fields too). */
function checkAsIstio(
  root: Fields,
  { kind, meta, report }: { kind: string; meta: ResourceMeta; report: ParseReport },
): void {
  const schema = schemaOfKind(kind);
  if (schema !== undefined) {
    checkSchema(schema, root.map, report.at("schema"));
    root.section("spec").acceptAll();
  }
  const validate = webhookOfKind(kind);
  if (validate === undefined) return;
  const checked = new Fields(root.map, {
    line: root.line,
    path: root.path,
    report: report.at("webhook"),
  });
  const { name, namespace, annotations } = meta;
  validate({ name, namespace, annotations, root: checked, spec: checked.section("spec") });
}

function refuseMissingKind(root: Fields): "not-read" {
  if (!root.has("kind"))
    root.report("kind", "is missing: not a resource, and no MeshConfig either");
  return "not-read";
}

function refuseKind(root: Fields, kind: string): "not-read" {
  if (UNSUPPORTED_KINDS.has(kind)) {
    root.report("kind", `not supported yet: ${kind}`);
    return "not-read";
  }
  const meant = closestName(kind, [...Object.keys(KINDS), ...UNSUPPORTED_KINDS]);
  const hint = meant === undefined ? "" : `; did you mean ${meant}?`;
  root.report("kind", `${quoted(kind)} is not a known kind${hint}`);
  return "not-read";
}
