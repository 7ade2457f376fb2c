/** The mesh of a case as YAML that a user could have written, read and planned as any other. */

import {
  type ControlPlaneFlags,
  controlPlaneFlags,
} from "../../../src/control/control-plane-flags.ts";
import { buildSnapshot, type MeshSnapshot } from "../../../src/policy/mesh-snapshot.ts";
import { planWorkloads } from "../../../src/policy/plan-workloads.ts";
import { resourcesIn, type UpstreamObject, yamlOf } from "../upstream-objects.ts";
import type { E2eCase, E2ePort } from "./e2e-case.ts";
import { type RenderedPolicy, section } from "./rendered-policies.ts";
import type { EchoPod, EchoService, Topology } from "./topology.ts";

/** Meshes of cases that differ in their requests alone. */
const known = new Map<string, MeshSnapshot>();

/** @throws Error listing the issues of its resources, if there are any */
export function meshOfCase(
  test: E2eCase,
  {
    topology,
    policies,
  }: { readonly topology: Topology; readonly policies: readonly RenderedPolicy[] },
): MeshSnapshot {
  const yaml = `${yamlOf([...namespaces(topology), ...workloads(topology), ...authorizers(test), ...policies])}\n---\n${meshConfig(test)}`;
  const { gatewaySelectors } = controlPlaneFlags(test.setup?.pilotEnv ?? {});
  const key = `${gatewaySelectors} ${yaml}`;
  const snapshot = known.get(key) ?? snapshotOf(yaml, { ...topology, gatewaySelectors });
  known.set(key, snapshot);
  return snapshot;
}

function snapshotOf(
  yaml: string,
  { pods, services, gatewaySelectors }: Topology & Pick<ControlPlaneFlags, "gatewaySelectors">,
): MeshSnapshot {
  const resources = resourcesIn(yaml);
  const addresses = new Map(
    pods.map(({ namespace, name, address }) => [`${namespace}/${name}-0`, address]),
  );
  const planned = planWorkloads(resources, {
    place: () => ({ address: "127.0.0.1", port: 0 }),
    uid: (key) => key,
    addresses: (key) => bothFamilies(addresses.get(key) ?? ""),
  });
  const serviceAddresses = Object.fromEntries(
    services.map(({ namespace, name }, index) => [
      `${namespace}/${name}`,
      bothFamilies(`10.45.0.${index + 1}`),
    ]),
  );
  return buildSnapshot({
    resources,
    workloads: planned,
    rootsPem: [],
    serviceAddresses,
    gatewaySelectors,
  });
}

function bothFamilies(ipv4: string): { readonly ipv4: string; readonly ipv6: string } {
  return { ipv4, ipv6: `fd00::${ipv4.replaceAll(".", ":")}` };
}

function namespaces({ pods }: Topology): readonly UpstreamObject[] {
  return [...new Set(pods.map(({ namespace }) => namespace))].map((name) => ({
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name },
  }));
}

function workloads({ pods, services }: Topology): readonly UpstreamObject[] {
  const accounts = new Map(pods.map((pod) => [`${pod.namespace}/${pod.serviceAccount}`, pod]));
  return [
    ...[...accounts.values()].map(({ namespace, serviceAccount: name }) => ({
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: { name, namespace },
    })),
    ...pods.map((pod) => ownerOf(pod)),
    ...services.map((service) => serviceOf(service)),
  ];
}

function ownerOf({
  namespace,
  name,
  labels,
  serviceAccount,
  sidecar,
  statefulSet,
  gateway,
}: EchoPod): UpstreamObject {
  const injection = { "sidecar.istio.io/inject": String(sidecar) };
  return {
    apiVersion: "apps/v1",
    kind: statefulSet ? "StatefulSet" : "Deployment",
    metadata: { name, namespace },
    spec: {
      ...(statefulSet && { serviceName: name }),
      selector: { matchLabels: labels },
      template: {
        metadata: {
          labels: { ...labels, ...injection },
          annotations: gateway ? { "inject.istio.io/templates": "gateway" } : {},
        },
        spec: {
          serviceAccountName: serviceAccount,
          containers: [
            gateway ? { name: "istio-proxy", image: "auto" } : { name: "echo", image: "echo" },
          ],
        },
      },
    },
  };
}

function serviceOf({ namespace, name, headless, selector, ports }: EchoService): UpstreamObject {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace },
    spec: {
      ...(headless && { clusterIP: "None" }),
      selector,
      ports: ports
        .filter(({ servicePort }) => typeof servicePort === "number")
        .map(({ name: port, servicePort, workloadPort, protocol }) => ({
          name: port,
          port: servicePort,
          targetPort: workloadPort,
          appProtocol: appProtocol(port, protocol),
        })),
    },
  };
}

/** Services of the frame's own authorizer, in a namespace of its own: its pods are played by `sampleAuthorizer`. */
function authorizers({ setup }: E2eCase): readonly UpstreamObject[] {
  const ports = new Map<string, Map<number, UpstreamObject["spec"]>>();
  for (const provider of setup?.extensionProviders ?? []) {
    const { envoyExtAuthzHttp, envoyExtAuthzGrpc } = section(provider);
    const kind = envoyExtAuthzHttp === undefined ? "grpc" : "http";
    const { service, port } = section({ asked: envoyExtAuthzHttp ?? envoyExtAuthzGrpc }, "asked");
    if (typeof service !== "string" || typeof port !== "number") continue;
    const known = ports.get(service) ?? new Map();
    ports.set(service, known.set(port, { name: `${kind}-${port}`, port }));
  }
  return [...ports].map(([host, named]) => {
    const [name = "", namespace = ""] = host.split(".");
    return {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name, namespace },
      spec: { selector: { app: name }, ports: [...named.values()] },
    };
  });
}

function appProtocol(name = "", protocol: E2ePort["protocol"]): string {
  return (protocol ?? (name.split("-", 1)[0] || "tcp")).toLowerCase();
}

function meshConfig({ setup = {} }: E2eCase): string {
  const { caCertificates, ...written } = setup.meshConfig ?? {};
  return JSON.stringify({
    rootNamespace: "istio-system",
    ...written,
    ...(Array.isArray(caCertificates) && { caCertificates }),
    ...(setup.extensionProviders && { extensionProviders: setup.extensionProviders }),
  });
}
