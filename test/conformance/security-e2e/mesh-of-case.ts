/** The mesh of a case as YAML that a user could have written, read and planned as any other. */

import {
  type ControlPlaneFlags,
  controlPlaneFlags,
} from "../../../src/control/control-plane-flags.ts";
import { buildSnapshot, type MeshSnapshot } from "../../../src/policy/mesh-snapshot.ts";
import { planWorkloads } from "../../../src/policy/plan-workloads.ts";
import { resourcesIn, type UpstreamObject, yamlOf } from "../upstream-objects.ts";
import type { E2eCase, E2ePort } from "./e2e-case.ts";
import type { RenderedPolicy } from "./rendered-policies.ts";
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
  const yaml = `${yamlOf([...namespaces(topology), ...workloads(topology), ...applied(policies)])}\n---\n${meshConfig(test)}`;
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
        metadata: { labels: { ...labels, ...injection } },
        spec: {
          serviceAccountName: serviceAccount,
          containers: [{ name: "echo", image: "echo" }],
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

function appProtocol(name = "", protocol: E2ePort["protocol"]): string {
  return (protocol ?? (name.split("-", 1)[0] || "tcp")).toLowerCase();
}

/** The Gateway API only says where a gateway leads. */
function applied(policies: readonly RenderedPolicy[]): readonly RenderedPolicy[] {
  return policies.filter(({ apiVersion }) => !apiVersion.startsWith("gateway.networking.k8s.io/"));
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
