/** The mesh of the benchmark, as istiod's baseline has it: pods in ten namespaces, spread over all services, one account for each service. */
import type { RunningNow } from "../../../src/control/control-plane-messages.ts";
import type { WrittenText } from "../../../src/control/written-texts.ts";
import type { IpAddresses, Workload } from "../../../src/policy/workload.ts";

const NAMESPACES = 10;
const SERVICE_PORT = 80;
const CONTAINER_PORT = 8080;

export interface PushMesh {
  readonly texts: readonly WrittenText[];
  readonly running: RunningNow;
}

/** @param size of the mesh; one pod of a service after the other */
export function pushMesh(size: { readonly services: number; readonly pods: number }): PushMesh {
  const services = Array.from({ length: size.services }, (_, index) => serviceAt(index));
  const workloads = Array.from({ length: size.pods }, (_, index) =>
    podAt(index, services[index % services.length] ?? serviceAt(0)),
  );
  const addresses = services.map(({ namespace, name }, index): [string, IpAddresses] => [
    `${namespace}/${name}`,
    addressesOf("10.96", "fd00:96::", index),
  ]);
  return {
    texts: [
      { file: "mesh.yaml", text: MESH_CONFIG },
      { file: "services.yaml", text: services.map(serviceText).join("---\n") },
    ],
    running: { workloads, resources: [], serviceAddresses: Object.fromEntries(addresses) },
  };
}

interface NamedService {
  readonly namespace: string;
  readonly name: string;
}

function serviceAt(index: number): NamedService {
  const number = String(index).padStart(4, "0");
  return { namespace: `ns-${index % NAMESPACES}`, name: `service-${number}` };
}

function podAt(index: number, { namespace, name }: NamedService): Workload {
  return podOf({ namespace, name }, index);
}

/** A pod of a service; its number tells it from others. */
export function podOf({ namespace, name }: NamedService, index: number): Workload {
  const addresses = addressesOf("10.244", "fd00:244::", index);
  return {
    namespace,
    name: `${name}-${index}`,
    uid: `uid-${index}`,
    owner: name,
    ownerKind: "Deployment",
    labels: { app: name },
    serviceAccount: name,
    addresses,
    injected: true,
    ready: true,
    ports: [
      {
        name: "http",
        containerPort: CONTAINER_PORT,
        listen: { address: addresses.ipv4, port: CONTAINER_PORT },
        application: { address: addresses.ipv4, port: CONTAINER_PORT },
      },
    ],
    outboundListeners: [],
  };
}

function addressesOf(ipv4: string, ipv6: string, index: number): IpAddresses {
  const [high, low] = [Math.floor(index / 250), (index % 250) + 2];
  return { ipv4: `${ipv4}.${high}.${low}`, ipv6: `${ipv6}${(index + 2).toString(16)}` };
}

const MESH_CONFIG = `apiVersion: v1
kind: ConfigMap
metadata:
  name: istio
  namespace: istio-system
data:
  mesh: |
    accessLogFile: /dev/stdout
`;

function serviceText({ namespace, name }: NamedService): string {
  return `apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: ${namespace}}
spec:
  selector: {app: ${name}}
  ports: [{name: http, port: ${SERVICE_PORT}, targetPort: ${CONTAINER_PORT}}]
`;
}

/** A policy for the mesh, for a namespace, or for one workload of it. */
export function policyText(
  name: string,
  scope: { readonly namespace: string; readonly app?: string },
): string {
  const selector =
    scope.app === undefined ? "" : `  selector: {matchLabels: {app: ${scope.app}}}\n`;
  return `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: ${name}, namespace: ${scope.namespace}}
spec:
${selector}  action: DENY
  rules:
  - from: [{source: {namespaces: [nobody-${name}]}}]
    to: [{operation: {methods: [DELETE], paths: [/admin/*]}}]
`;
}
