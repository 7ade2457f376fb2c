/** Small parts of a mesh for tests: resources from YAML, workloads, traffic. */
import assert from "node:assert/strict";
import { parseResources } from "../../src/api/parse-resources.ts";
import type { Resource } from "../../src/api/resource.ts";
import { parseSpiffeId } from "../../src/identity/spiffe-id.ts";
import { buildSnapshot, type MeshSnapshot, ofKind } from "../../src/policy/mesh-snapshot.ts";
import { planWorkloads } from "../../src/policy/plan-workloads.ts";
import type { Connection, HttpRequest } from "../../src/policy/traffic.ts";
import type { IpAddresses, Workload } from "../../src/policy/workload.ts";
import type { Trust } from "../../src/policy/workload-view.ts";

/** @throws AssertionError when the YAML has an issue, or says nothing */
export function resourcesOf(yaml: string, file = "mesh.yaml"): readonly Resource[] {
  const { resources, issues } = parseResources(yaml, file);
  assert.deepEqual(issues, []);
  assert.ok(resources.length > 0, "the YAML holds no resource");
  return resources;
}

/**
 * The mesh that YAML describes; every port of it on loopback, listeners of sidecars at the port plus 10000.
 *
 * @param options.notReady workloads that cannot serve, as `namespace/pod`
 * @param options.addressing "own": pods and services have addresses of their own, and keep their ports; counted from 1,
 * pods are 10.244.0.N and fd00:10:244::N, services 10.96.0.N and fd00:10:96::N
 */
export function snapshotOf(
  yaml: string,
  {
    notReady = [],
    addressing = "loopback",
  }: { readonly notReady?: readonly string[]; readonly addressing?: "loopback" | "own" } = {},
): MeshSnapshot {
  const resources = resourcesOf(yaml);
  const podAddresses = addressesIn("244");
  const serviceAddresses = addressesIn("96");
  const planned = planWorkloads(resources, {
    addresses: addressing === "own" ? podAddresses : () => undefined,
    place(key) {
      const port = Number(/\d+$/.exec(key)?.[0] ?? 0);
      return { address: "127.0.0.1", port: key.includes("/listen/") ? port + 10_000 : port };
    },
    uid: (key) => `uid of ${key}`,
  });
  const workloads = planned.map((workload) => ({
    ...workload,
    ready: !notReady.includes(`${workload.namespace}/${workload.name}`),
  }));
  const addressed = ofKind(resources, "Service")
    .filter(({ headless }) => !headless)
    .map(({ meta }) => `${meta.namespace}/${meta.name}`)
    .map((key) => [key, serviceAddresses(key)] as const);
  return buildSnapshot({
    resources,
    workloads,
    rootsPem: ["ROOT"],
    ...(addressing === "own" && { serviceAddresses: Object.fromEntries(addressed) }),
  });
}

/** Gives each key the next addresses of a network, and the same again when asked again. */
function addressesIn(network: "244" | "96"): (key: string) => IpAddresses {
  const given = new Map<string, IpAddresses>();
  return (key) => {
    const host = given.size + 1;
    const next = { ipv4: `10.${network}.0.${host}`, ipv6: `fd00:10:${network}::${host}` };
    const addresses = given.get(key) ?? next;
    given.set(key, addresses);
    return addresses;
  };
}

/** @param name `namespace/pod` */
export function workloadNamed({ workloads }: MeshSnapshot, name: string): Workload {
  const found = workloads.find((workload) => `${workload.namespace}/${workload.name}` === name);
  assert.ok(found, `no workload ${name}`);
  return found;
}

export const clusterTrust: Trust = {
  trustDomain: "cluster.local",
  trustDomainAliases: [],
  rootsPem: [],
  minimumTlsVersion: "TLSv1.2",
};

/** @param principal "plaintext" for a caller that proves nothing */
export function connectionFrom(principal: string, changes: Partial<Connection> = {}): Connection {
  return {
    ...(principal !== "plaintext" && { principal: parseSpiffeId(principal) }),
    sourceAddress: "10.0.0.200",
    sourcePort: 40000,
    destinationAddress: "10.0.0.5",
    destinationPort: 8080,
    ...changes,
  };
}

export interface RequestParts extends Partial<Omit<HttpRequest, "header">> {
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  /** What the request lacks altogether. */
  readonly without?: "path" | "authority";
}

export function requestOn(connection: Connection, parts: RequestParts = {}): HttpRequest {
  const { headers = {}, without, ...rest } = parts;
  return {
    connection,
    method: "GET",
    ...(without !== "path" && { path: "/" }),
    ...(without !== "authority" && { authority: "api:8080" }),
    remoteAddress: connection.sourceAddress,
    header: (name) => headers[name],
    ...rest,
  };
}
