/** The cluster that a case of `x describe` is about: its objects, and the dumps of its proxies. */

import type {
  ClusterObjects,
  Collection,
} from "../../../src/cli/istioctl/describe/cluster-objects.ts";
import type { DescribedCluster } from "../../../src/cli/istioctl/describe/description.ts";
import type { EnvoyConfig } from "../../../src/envoy/envoy-json.ts";

const COLLECTIONS: Readonly<Record<string, Collection>> = {
  Pod: "pods",
  Service: "services",
  ConfigMap: "configmaps",
  DestinationRule: "destinationrules",
  VirtualService: "virtualservices",
  Gateway: "gateways",
  PeerAuthentication: "peerauthentications",
};

export const NOTHING: EnvoyConfig = { listeners: [], clusters: [], routes: [], endpoints: [] };

/** Names of fields as Go prints them: `iP`. */
export function objectsOf(objects: readonly { readonly kind: string }[]): ClusterObjects {
  const read: unknown[] = JSON.parse(JSON.stringify(objects).replaceAll('"iP"', '"ip"'));
  const of = (collection: Collection): unknown[] =>
    read.filter((one) => COLLECTIONS[(one as { readonly kind: string }).kind] === collection);
  const entries = Object.values(COLLECTIONS).map((name) => [name, of(name)]);
  return Object.fromEntries(entries) as ClusterObjects;
}

export const NO_OBJECTS: DescribedCluster = {
  objects: objectsOf([]),
  configOf: async () => NOTHING,
  namespace: "default",
};
