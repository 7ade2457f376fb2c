/**
 * The resources that stand for a process which joined: as if somebody had written a Deployment, a ServiceAccount and a
 * Service for it. Pure.
 */
import { injectionDecision } from "../../api/injection-decision.ts";
import { LISTENS_ON_ANNOTATION } from "../../api/own-annotations.ts";
import { parseResources } from "../../api/parse-resources.ts";
import {
  formatLocation,
  type Labels,
  type Resource,
  type SourceLocation,
} from "../../api/resource.ts";
import { labelNameProblem } from "../../api/resource-names.ts";
import { isBehind, ofKind } from "../../policy/mesh-snapshot.ts";
import type { Workload } from "../../policy/workload.ts";
import type { JoinPort, JoinRequest } from "./join-request.ts";

/** Where such resources say they were written; no file can be called so. */
const SOURCE_FILE = "(hauberk run)";
/** On the pod: which joined process it is; what the Service of the same name selects. */
const JOINED_LABEL = "hauberk.dev/joined";
const INJECT = "sidecar.istio.io/inject";
/** Kinds that make pods called after themselves. */
const OWNER_KINDS: readonly string[] = ["Deployment", "StatefulSet", "Job"];

/** What the process joins. */
export interface MeshNow {
  /** Those of files and of processes that joined before. */
  readonly resources: readonly Resource[];
  readonly workloads: readonly Workload[];
}

export type JoinPlan =
  | {
      readonly outcome: "planned";
      readonly resources: readonly Resource[];
      /** What the user should know, as sentences. */
      readonly notes: readonly string[];
    }
  | { readonly outcome: "refused"; readonly problem: string };

/** The process always gets a sidecar; where the namespace forbids one (INJ-6, INJ-11), it is refused. */
export function planJoin(request: JoinRequest, mesh: MeshNow): JoinPlan {
  const problem =
    nameProblem(request) ?? clashProblem(request, mesh) ?? addressProblem(request, mesh);
  if (problem !== undefined) return refuse(problem);
  const manifests = manifestsFor(request, mesh.resources);
  const { resources, issues } = parseResources(
    manifests.map((manifest) => JSON.stringify(manifest)).join("\n---\n"),
    SOURCE_FILE,
  );
  if (issues.length > 0) {
    const faults = issues.map(({ path, problem: fault }) => `${path} ${fault}`);
    return refuse([...new Set(faults)].join("; "));
  }
  const sidecar = injectionProblem(request, mesh.resources);
  if (sidecar !== undefined) return refuse(sidecar);
  return { outcome: "planned", resources, notes: notesOn(request, mesh.resources) };
}

/** Whether what was written there stands for a process that somebody else started: it has no container to start. */
export function isJoined({ file }: SourceLocation): boolean {
  return file === SOURCE_FILE;
}

/** @returns ports on which programs listen in any case, by placement key of `planWorkloads` */
export function fixedApplicationPorts(resources: readonly Resource[]): ReadonlyMap<string, number> {
  const joined = ofKind(resources, "Deployment").filter(({ meta }) => isJoined(meta.source));
  return new Map(
    joined.flatMap(({ meta, template }) =>
      (template.annotations[LISTENS_ON_ANNOTATION] ?? "")
        .split(",")
        .filter((pair) => pair !== "")
        .map((pair): [string, number] => {
          const [port, listensOn] = pair.split("=");
          return [`${meta.namespace}/${meta.name}-0/application/${port}`, Number(listensOn)];
        }),
    ),
  );
}

/** What processes that joined add to the files. Where both name the same thing, the files win. */
export function besideFiles(
  files: readonly Resource[],
  joined: readonly Resource[],
): readonly Resource[] {
  const written = new Set(files.map(thingOf));
  return joined.filter((resource) => !written.has(thingOf(resource)));
}

function thingOf({ kind, meta }: Resource): string {
  return `${OWNER_KINDS.includes(kind) ? "pods" : kind} ${meta.namespace}/${meta.name}`;
}

function refuse(problem: string): JoinPlan {
  return { outcome: "refused", problem };
}

function nameProblem({ name, namespace, ports }: JoinRequest): string | undefined {
  const problem = labelNameProblem(name);
  if (problem !== undefined) return `the name ${problem}`;
  if (ports.length > 0 && !/^[a-z]/.test(name)) {
    return `the name "${name}" must begin with a letter, since a Service is called so too`;
  }
  const namespaceProblem = labelNameProblem(namespace);
  return namespaceProblem === undefined ? undefined : `the namespace ${namespaceProblem}`;
}

function clashProblem(
  { name, namespace }: JoinRequest,
  { resources }: MeshNow,
): string | undefined {
  const owner = resources.find(
    ({ kind, meta }) =>
      OWNER_KINDS.includes(kind) && meta.namespace === namespace && meta.name === name,
  );
  if (owner === undefined) return undefined;
  if (isJoined(owner.meta.source)) {
    return `${namespace}/${name} has joined already, by another \`hauberk run\`; end that one, or choose another --name`;
  }
  return `${namespace}/${name} is a ${owner.kind} of the mesh (${formatLocation(owner.meta.source)}); choose another --name`;
}

/** A program that listened where a part of the mesh does would be taken for it. */
function addressProblem({ ports }: JoinRequest, { workloads }: MeshNow): string | undefined {
  const wanted = ports.flatMap(({ listensOn }) => listensOn ?? []);
  for (const workload of workloads) {
    const listeners = [
      ...workload.ports.flatMap(({ listen, application }) => [listen, application]),
      ...workload.outboundListeners.map(({ listen }) => listen),
      ...(workload.httpProxy === undefined ? [] : [workload.httpProxy]),
    ];
    const taken = wanted.find((port) => listeners.some((listener) => listener.port === port));
    if (taken === undefined) continue;
    return `port ${taken} belongs to ${workload.namespace}/${workload.name}; let the program listen on another, or on $PORT`;
  }
  return undefined;
}

function injectionProblem(
  request: JoinRequest,
  resources: readonly Resource[],
): string | undefined {
  const namespace = ofKind(resources, "Namespace").find(
    ({ meta }) => meta.name === request.namespace,
  );
  const { inject, because } = injectionDecision({
    namespace: request.namespace,
    namespaceLabels: namespace?.meta.labels ?? {},
    podLabels: podLabels(request),
    podAnnotations: {},
    hostNetwork: false,
  });
  if (inject) return undefined;
  const where = namespace === undefined ? "" : ` (${formatLocation(namespace.meta.source)})`;
  return `no process of namespace ${request.namespace} gets a sidecar, because ${because}${where}; join another namespace with -n, or change that`;
}

function manifestsFor(request: JoinRequest, resources: readonly Resource[]): readonly object[] {
  const { name, namespace, serviceAccount, ports } = request;
  const isWritten = (kind: string, called: string): boolean =>
    resources.some(
      (resource) =>
        resource.kind === kind &&
        resource.meta.namespace === namespace &&
        resource.meta.name === called,
    );
  const metadata = { name, namespace };
  const manifests: object[] = [deploymentManifest(request)];
  if (!isWritten("ServiceAccount", serviceAccount)) {
    const account = { name: serviceAccount, namespace };
    manifests.push({ apiVersion: "v1", kind: "ServiceAccount", metadata: account });
  }
  if (ports.length > 0 && !isWritten("Service", name)) {
    const spec = { selector: { [JOINED_LABEL]: name }, ports: servicePorts(ports) };
    manifests.push({ apiVersion: "v1", kind: "Service", metadata, spec });
  }
  return manifests;
}

function deploymentManifest(request: JoinRequest): object {
  const { name, namespace, serviceAccount, ports } = request;
  const labels = podLabels(request);
  const fixed = ports.filter(({ listensOn }) => listensOn !== undefined);
  const listensOn = fixed.map((port) => `${port.port}=${port.listensOn}`).join(",");
  const annotations = listensOn === "" ? {} : { [LISTENS_ON_ANNOTATION]: listensOn };
  const containers = [
    {
      name,
      command: [request.program],
      ports: ports.map(({ port }) => ({ containerPort: port })),
    },
  ];
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace },
    spec: {
      selector: { matchLabels: labels },
      template: {
        metadata: { labels, annotations },
        spec: { serviceAccountName: serviceAccount, containers },
      },
    },
  };
}

function podLabels({ name, labels }: JoinRequest): Labels {
  return { app: name, [INJECT]: "true", ...labels, [JOINED_LABEL]: name };
}

/** Kubernetes wants names where there are several. */
function servicePorts(ports: readonly JoinPort[]): readonly object[] {
  return ports.map(({ port, protocol }) => ({
    port,
    targetPort: port,
    ...(ports.length > 1 && { name: `port-${port}` }),
    ...(protocol !== "auto" && { appProtocol: protocol }),
  }));
}

function notesOn(request: JoinRequest, resources: readonly Resource[]): readonly string[] {
  const { name, namespace } = request;
  const notes: string[] = [];
  if (
    !resources.some(
      ({ kind, meta }) => (kind === "Namespace" ? meta.name : meta.namespace) === namespace,
    )
  ) {
    notes.push(`nothing else of the mesh is in namespace ${namespace}; another is chosen with -n`);
  }
  const service = ofKind(resources, "Service").find(
    ({ meta }) => meta.namespace === namespace && meta.name === name,
  );
  const pod = { namespace, labels: podLabels(request) };
  if (service !== undefined && !isBehind(service, pod)) {
    notes.push(
      `Service ${namespace}/${name} (${formatLocation(service.meta.source)}) does not select this process; see --label`,
    );
  }
  return notes;
}
