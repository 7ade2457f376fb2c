/** The pod template, which all kinds that make pods share: what runs together, as whom, and with which files. */
import { type AutomountToken, automountToken } from "./automount-token.ts";
import { type Container, type ContainerOptions, container } from "./container.ts";
import type { Fields } from "./decoder.ts";
import { type InterceptionSettings, interceptionSettings } from "./interception-settings.ts";
import { checkOwnAnnotations } from "./own-annotations.ts";
import { reportTwice } from "./port-fields.ts";
import { type ProbeRewriting, probeRewriting } from "./probe-rewriting.ts";
import { quoted } from "./quoted.ts";
import type { Labels } from "./resource.ts";
import { templateMeta } from "./resource-meta.ts";
import { labelNameProblem, subdomainProblem } from "./resource-names.ts";
import { type ClaimVolume, type Volume, volume } from "./volume.ts";

export type RestartPolicy = "Always" | "OnFailure" | "Never";

export interface PodTemplate<Policy extends RestartPolicy = RestartPolicy> {
  readonly labels: Labels;
  readonly annotations: Readonly<Record<string, string>>;
  readonly serviceAccountName: string;
  /** "unset": as the ServiceAccount says. */
  readonly automountToken: AutomountToken;
  /** What the sidecar takes, where pods have networks of their own. */
  readonly interception: InterceptionSettings;
  /** Where it has a sidecar. */
  readonly probeRewriting: ProbeRewriting;
  /** Absent: the pod's name. */
  readonly hostname?: string;
  /** The headless service below whose name `hostname` is one. */
  readonly subdomain?: string;
  readonly hostNetwork: boolean;
  readonly restartPolicy: Policy;
  /** From being asked to stop to being made to. */
  readonly terminationGracePeriodSeconds: number;
  readonly volumes: readonly Volume[];
  readonly containers: readonly Container[];
}

/** Where no manifest says. */
export const DEFAULT_GRACE_SECONDS = 30;
const MAX_GRACE_SECONDS = 86_400;

const UNUSED_FIELDS = [
  "activeDeadlineSeconds",
  "affinity",
  "dnsConfig",
  "dnsPolicy",
  "enableServiceLinks",
  "ephemeralContainers",
  "evictionResponders",
  "hostAliases",
  "hostIPC",
  "hostPID",
  "hostUsers",
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
  "runtimeClassName",
  "schedulerName",
  "schedulingGates",
  "schedulingGroup",
  "securityContext",
  "setHostnameAsFQDN",
  "shareProcessNamespace",
  "tolerations",
  "topologySpreadConstraints",
  "workloadRef",
];

export interface PodTemplateOptions<Policy extends RestartPolicy> {
  readonly file: string;
  /** What the kind that owns the template allows. */
  readonly restartPolicies: readonly [Policy, ...Policy[]];
  /** Volumes that the owner brings; one of the pod's own of the same name gives way, as in Kubernetes. */
  readonly claims?: readonly ClaimVolume[];
}

export function podTemplate<const Policy extends RestartPolicy>(
  template: Fields,
  { file, restartPolicies, claims = [] }: PodTemplateOptions<Policy>,
): PodTemplate<Policy> {
  const metadata = template.section("metadata");
  const { labels, annotations } = templateMeta(metadata);
  checkOwnAnnotations(metadata.section("annotations"), annotations);
  const pod = template.section("spec");
  pod.unused(UNUSED_FIELDS);
  pod.unsupported(["initContainers"]);
  const volumes = [...claims, ...volumesOf(pod, file).filter(isNotClaimed(claims))];
  if (pod.flag("hostNetwork", "off")) {
    pod.notice(
      "hostNetwork",
      "the machine's network is given to no pod here; as in a cluster, such a pod gets no sidecar, and nothing is enforced for it",
    );
  }
  const graceSeconds =
    pod.integer("terminationGracePeriodSeconds", { min: 0, max: MAX_GRACE_SECONDS }) ??
    DEFAULT_GRACE_SECONDS;
  const hostname = pod.text("hostname", labelNameProblem);
  const subdomain = pod.text("subdomain", labelNameProblem);
  return {
    labels,
    annotations,
    serviceAccountName: serviceAccountOf(pod),
    automountToken: automountToken(pod),
    interception: interceptionSettings(metadata.section("annotations")),
    probeRewriting: probeRewriting(metadata.section("annotations")),
    ...(hostname === undefined ? {} : { hostname }),
    ...(subdomain === undefined ? {} : { subdomain }),
    hostNetwork: pod.flag("hostNetwork", "off"),
    restartPolicy: restartPolicyOf(pod, restartPolicies),
    terminationGracePeriodSeconds: graceSeconds,
    volumes,
    containers: containersOf(pod, {
      file,
      volumes: volumes.map(({ name }) => name),
      graceSeconds,
    }),
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

/** Kubernetes' default is Always; where that is not allowed, the policy has to be written. */
function restartPolicyOf<Policy extends RestartPolicy>(
  pod: Fields,
  allowed: readonly [Policy, ...Policy[]],
): Policy {
  const [first, ...others] = allowed;
  if (!pod.has("restartPolicy") && others.length > 0) {
    pod.report("restartPolicy", `is missing; expected one of ${allowed.join(", ")}`);
  }
  return pod.choice("restartPolicy", allowed, first);
}

function volumesOf(pod: Fields, file: string): readonly Volume[] {
  const items = pod.list("volumes");
  const volumes = items.map((item) => volume(item, file));
  reportTwice(items, { field: "name", values: volumes.map(({ name }) => name) });
  return volumes;
}

function isNotClaimed(claims: readonly ClaimVolume[]): (volume: Volume) => boolean {
  const claimed = new Set(claims.map(({ name }) => name));
  return ({ name }) => !claimed.has(name);
}

function containersOf(pod: Fields, options: ContainerOptions): readonly Container[] {
  const fields = pod.list("containers");
  if (pod.saysNothing("containers")) pod.report("containers", "must have at least one container");
  const containers = fields.map((one) => container(one, options));
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
