/** A case as questions: one for each proxy that judges the request on its way, in order. */
import { parseSpiffeId } from "../../../src/identity/spiffe-id.ts";
import type { MeshSnapshot } from "../../../src/policy/mesh-snapshot.ts";
import type { AskedRequest, Caller, Question } from "../../../src/policy/question.ts";
import type { Workload } from "../../../src/policy/workload.ts";
import type { E2eCase } from "./e2e-case.ts";
import { NotUnderstood } from "./not-understood.ts";
import type { RenderedPolicy } from "./rendered-policies.ts";
import { type TokenFixtures, withTokens } from "./token-fixtures.ts";
import type { EchoPod, EchoService, Topology } from "./topology.ts";
import { type RouteEnd, virtualRoute } from "./virtual-routes.ts";

export interface CaseMesh {
  readonly topology: Topology;
  readonly policies: readonly RenderedPolicy[];
  readonly snapshot: MeshSnapshot;
  readonly fixtures: TokenFixtures;
}

/** @throws NotUnderstood naming what of the case is not */
export function hopsOf(test: E2eCase, mesh: CaseMesh): readonly Question[] {
  const { to } = test;
  if (to.via !== undefined) throw new NotUnderstood(`to.via ${to.via}`);
  return [directly(test, mesh)];
}

function directly(test: E2eCase, mesh: CaseMesh): Question {
  const { to } = test;
  const request = carriesHttp(test) ? requestOf(test, mesh) : undefined;
  const { subset } = (request && virtualRoute(mesh.policies, routed(request))) ?? {};
  const service = calledService(test);
  const speaks = spoken(test);
  const asked = {
    from: callerOf(test, mesh),
    ...(speaks && { speaks }),
    ...(request && { request }),
  };
  const { servicePort } = to.port;
  if (dialsPod(test)) {
    const { workloadPort: containerPort } = to.port;
    if (containerPort === undefined) throw new NotUnderstood("to.dial without a port");
    const [pod] = podsBehind(service, mesh);
    return { ...asked, to: workloadOf(pod, mesh), containerPort, dials: "pod-address" };
  }
  const port = servicePort ?? to.port.workloadPort ?? portByName(to.port.name, service, mesh);
  if (port === undefined) throw new NotUnderstood("to.port without a number");
  return { ...asked, ...calleeOf({ ...service, port, ...(subset && { subset }) }, mesh) };
}

function portByName(
  wanted: string | undefined,
  end: Pick<RouteEnd, "namespace" | "service">,
  mesh: CaseMesh,
): number | undefined {
  const found = serviceNamed({ ...end }, mesh)?.ports.find(({ name }) => name === wanted);
  return found?.servicePort ?? undefined;
}

const HTTP_PORT = 80;
const POD_DIAL = /^(pod IP|workload \(pod\) address)/;

function dialsPod({ to }: E2eCase): boolean {
  if (to.dial !== undefined && !POD_DIAL.test(to.dial))
    throw new NotUnderstood(`to.dial ${to.dial}`);
  return (
    to.dial !== undefined || to.port.servicePort === null || to.port.note === "dialled by pod IP"
  );
}

function carriesHttp({ to }: E2eCase): boolean {
  const { protocol, name = "" } = to.port;
  return /^(http2?|grpc)(-|$)/.test((protocol ?? name).toLowerCase());
}

function spoken({ from: { tls } }: E2eCase): Question["speaks"] {
  if (tls === undefined || tls === "plaintext") return undefined;
  if (tls.startsWith("mTLS")) return "mutual-tls";
  throw new NotUnderstood(`from.tls ${tls}`);
}

function callerOf({ from }: E2eCase, mesh: CaseMesh): Caller {
  const { ns, workload, clientCertificate } = from;
  if (clientCertificate === undefined) return workloadOf(podNamed(mesh, ns, workload), mesh);
  const [, domain] = /\(trust domain (\S+)\)/.exec(clientCertificate) ?? [];
  if (domain === undefined) throw new NotUnderstood(`from.clientCertificate ${clientCertificate}`);
  return { identity: parseSpiffeId(`spiffe://${domain}/ns/${ns}/sa/${workload}`) };
}

/** The host is what the caller names: what it dials, where it says nothing else. */
function requestOf({ to }: E2eCase, { fixtures }: CaseMesh): AskedRequest {
  const { servicePort } = to.port;
  const port = servicePort === HTTP_PORT ? "" : `:${servicePort}`;
  const dialled = to.host ?? to["address"] ?? `${to.workload}.${to.ns}.svc.cluster.local`;
  const written = Object.entries(to.headers ?? {}).map(
    ([name, value]) => [name.toLowerCase(), withTokens(value, fixtures)] as const,
  );
  return {
    method: to.method ?? "GET",
    path: withTokens(to.path ?? "/", fixtures),
    headers: new Map([["host", `${dialled}${port}`], ...written]),
  };
}

function routed({ headers, path }: AskedRequest): { readonly host: string; readonly path: string } {
  return { host: headers.get("host") ?? "", path };
}

function calledService({ to }: E2eCase): Pick<RouteEnd, "namespace" | "service"> {
  const { ns: namespace, workload: service } = to;
  if (namespace === undefined || service === undefined)
    throw new NotUnderstood("to without a workload");
  return { namespace, service };
}

/** A port of a service, and the pod behind it that is meant. */
function calleeOf(end: RouteEnd, mesh: CaseMesh): Pick<Question, "to" | "containerPort" | "via"> {
  const { namespace, service: name, port } = end;
  const called = serviceNamed(end, mesh)?.ports.find(({ servicePort }) => servicePort === port);
  if (called?.workloadPort === undefined || port === undefined) {
    throw new NotUnderstood(`port ${port} of ${namespace}/${name}`);
  }
  const [pod] = podsBehind(end, mesh);
  return {
    to: workloadOf(pod, mesh),
    containerPort: called.workloadPort,
    via: { serviceNamespace: namespace, serviceName: name, servicePort: port },
  };
}

function serviceNamed(
  { namespace, service }: RouteEnd,
  { topology }: CaseMesh,
): EchoService | undefined {
  return topology.services.find((one) => one.namespace === namespace && one.name === service);
}

function podsBehind(end: RouteEnd, mesh: CaseMesh): readonly [EchoPod, ...EchoPod[]] {
  const selector = {
    ...serviceNamed(end, mesh)?.selector,
    ...(end.subset && { version: end.subset }),
  };
  const [first, ...others] = mesh.topology.pods.filter(
    ({ namespace, labels }) =>
      namespace === end.namespace &&
      Object.entries(selector).every(([key, value]) => labels[key] === value),
  );
  if (first === undefined) throw new NotUnderstood(`service ${end.namespace}/${end.service}`);
  return [first, ...others];
}

function podNamed({ topology }: CaseMesh, namespace: string, name: string): EchoPod {
  const pod = topology.pods.find((one) => one.namespace === namespace && one.name === name);
  if (pod === undefined) throw new NotUnderstood(`workload ${namespace}/${name}`);
  return pod;
}

function workloadOf({ namespace, name }: EchoPod, { snapshot }: CaseMesh): Workload {
  const found = snapshot.workloads.find((one) => one.namespace === namespace && one.owner === name);
  if (found === undefined) throw new Error(`no workload for ${namespace}/${name}`);
  return found;
}
