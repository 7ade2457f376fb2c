/** Deployment: what to run, as whom, and how often. */
import { container } from "./container.ts";
import type { Fields } from "./decoder.ts";
import { reportTwice } from "./port-fields.ts";
import { quoted } from "./quoted.ts";
import type { Labels, ResourceMeta, SourceLocation } from "./resource.ts";
import { templateMeta } from "./resource-meta.ts";
import { labelKeyProblem, labelValueProblem, subdomainProblem } from "./resource-names.ts";

export interface Deployment {
  readonly kind: "Deployment";
  readonly meta: ResourceMeta;
  readonly replicas: number;
  readonly template: PodTemplate;
}

export interface PodTemplate {
  readonly labels: Labels;
  readonly annotations: Readonly<Record<string, string>>;
  readonly serviceAccountName: string;
  readonly hostNetwork: boolean;
  readonly containers: readonly Container[];
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly env: readonly EnvironmentVariable[];
  readonly ports: readonly ContainerPort[];
  readonly workingDir?: string;
  readonly source: SourceLocation;
}

export interface EnvironmentVariable {
  readonly name: string;
  readonly value: string;
}

export interface ContainerPort {
  readonly name: string;
  readonly containerPort: number;
}

const MAX_REPLICAS = 100;

const UNUSED_SPEC_FIELDS = [
  "minReadySeconds",
  "paused",
  "progressDeadlineSeconds",
  "revisionHistoryLimit",
  "strategy",
];

const UNUSED_POD_FIELDS = [
  "activeDeadlineSeconds",
  "affinity",
  "automountServiceAccountToken",
  "dnsConfig",
  "dnsPolicy",
  "enableServiceLinks",
  "ephemeralContainers",
  "evictionResponders",
  "hostAliases",
  "hostIPC",
  "hostPID",
  "hostUsers",
  "hostname",
  "hostnameOverride",
  "imagePullSecrets",
  "nodeName",
  "nodeSelector",
  "os",
  "overhead",
  "preemptionPolicy",
  "priority",
  "priorityClassName",
  "readinessGates",
  "resourceClaims",
  "resources",
  "restartPolicy",
  "runtimeClassName",
  "schedulerName",
  "schedulingGates",
  "schedulingGroup",
  "securityContext",
  "setHostnameAsFQDN",
  "shareProcessNamespace",
  "subdomain",
  "terminationGracePeriodSeconds",
  "tolerations",
  "topologySpreadConstraints",
  "volumes",
  "workloadRef",
];

export function deployment(meta: ResourceMeta, root: Fields): Deployment {
  const spec = root.section("spec");
  const template = podTemplate(spec.section("template"), meta.source.file);
  checkSelector(spec, template.labels);
  spec.unused(UNUSED_SPEC_FIELDS);
  const replicas = spec.integer("replicas", { min: 0, max: MAX_REPLICAS }) ?? 1;
  return { kind: "Deployment", meta, replicas, template };
}

function podTemplate(template: Fields, file: string): PodTemplate {
  const { labels, annotations } = templateMeta(template.section("metadata"));
  const pod = template.section("spec");
  pod.unused(UNUSED_POD_FIELDS);
  if (pod.has("initContainers")) pod.report("initContainers", "are not supported yet");
  pod.accept(["initContainers"]);
  const serviceAccountName = serviceAccountOf(pod);
  const hostNetwork = pod.flag("hostNetwork", "off");
  return {
    labels,
    annotations,
    serviceAccountName,
    hostNetwork,
    containers: containersOf(pod, file),
  };
}

/** `serviceAccount` is the old name of `serviceAccountName`; two answers to who the pod is are one too many. */
function serviceAccountOf(pod: Fields): string {
  const name = pod.text("serviceAccountName", subdomainProblem);
  const oldName = pod.text("serviceAccount", subdomainProblem);
  if (name !== undefined && oldName !== undefined && name !== oldName) {
    pod.report("serviceAccount", `differs from serviceAccountName, which is ${quoted(name)}`);
  }
  return name ?? oldName ?? "default";
}

function containersOf(pod: Fields, file: string): readonly Container[] {
  const fields = pod.list("containers");
  if (pod.saysNothing("containers")) pod.report("containers", "must have at least one container");
  const containers = fields.map((one) => container(one, file));
  reportTwice(fields, { field: "name", values: containers.map(({ name }) => name) });
  const portFields = fields.flatMap((one) => one.list("ports"));
  const ports = containers.flatMap((one) => one.ports);
  reportTwice(portFields, { field: "name", values: ports.map(({ name }) => name) });
  reportTwice(portFields, {
    field: "containerPort",
    values: ports.map(({ containerPort }) => containerPort),
  });
  return containers;
}

/** A Deployment whose selector misses its own pods is refused, as by Kubernetes. */
function checkSelector(spec: Fields, labels: Labels): void {
  const selector = spec.section("selector");
  const wanted = selector.stringMap("matchLabels", {
    key: labelKeyProblem,
    value: labelValueProblem,
  });
  const expressions = selector.list("matchExpressions");
  if (selector.saysNothing("matchLabels") && selector.saysNothing("matchExpressions")) {
    spec.report("selector", "must select the labels of the template");
  }
  const matchLabels = selector.section("matchLabels");
  for (const [key, value] of Object.entries(wanted)) {
    if (Object.hasOwn(labels, key) && labels[key] === value) continue;
    matchLabels.report(
      key,
      "does not match the labels of the template, so no pod would be selected",
    );
  }
  for (const expression of expressions) checkExpression(expression, labels);
}

function checkExpression(expression: Fields, labels: Labels): void {
  const key = expression.requiredText("key", labelKeyProblem);
  const operators = ["In", "NotIn", "Exists", "DoesNotExist"] as const;
  const operator = expression.choice("operator", operators, "Exists");
  const values = expression.texts("values", labelValueProblem);
  const present = Object.hasOwn(labels, key);
  const listed = present && values.includes(labels[key] ?? "");
  const holds = { In: listed, NotIn: !listed, Exists: present, DoesNotExist: !present };
  if (!holds[operator]) {
    expression.reportHere("does not match the labels of the template, so no pod would be selected");
  }
}
