/** The kinds of Kubernetes' core group, but for Pods. Columns: Kubernetes pkg/printers/internalversion. */
import { serviceCarriedOver } from "./carried-over.ts";
import { ageColumn, column, nameColumn, wide } from "./columns.ts";
import { listAt, numberAt, objectAt, textAt, textsAt, valueAt } from "./json-access.ts";
import { builtIn } from "./kind-parts.ts";
import type { JsonValue, KubernetesObject } from "./kubernetes-object.ts";
import { podColumns } from "./pod-columns.ts";
import { orNone, printedLabels, printedSince } from "./printed-values.ts";
import type { PrinterColumn, ServedKind } from "./served-kind.ts";
import { structureOf } from "./structure-of.ts";

const serviceColumns: readonly PrinterColumn[] = [
  nameColumn,
  column(
    "Type",
    'type determines how the Service is exposed. Defaults to ClusterIP. Valid options are ExternalName, ClusterIP, NodePort, and LoadBalancer. "ClusterIP" allocates a cluster-internal IP address for load-balancing to endpoints. Endpoints are determined by the selector or if that is not specified, by manual construction of an Endpoints object or EndpointSlice objects. If clusterIP is "None", no virtual IP is allocated and the endpoints are published as a set of endpoints rather than a virtual IP. "NodePort" builds on ClusterIP and allocates a port on every node which routes to the same endpoints as the clusterIP. "LoadBalancer" builds on NodePort and creates an external load-balancer (if supported in the current cloud) which routes to the same endpoints as the clusterIP. "ExternalName" aliases this service to the specified externalName. Several other fields do not apply to ExternalName services. More info: https://kubernetes.io/docs/concepts/services-networking/service/#publishing-services-service-types',
    (service) => textAt(service, "spec", "type"),
  ),
  column(
    "Cluster-IP",
    'clusterIP is the IP address of the service and is usually assigned randomly. If an address is specified manually, is in-range (as per system configuration), and is not in use, it will be allocated to the service; otherwise creation of the service will fail. This field may not be changed through updates unless the type field is also being changed to ExternalName (which requires this field to be blank) or the type field is being changed from ExternalName (in which case this field may optionally be specified, as describe above).  Valid values are "None", empty string (""), or a valid IP address. Setting this to "None" makes a "headless service" (no virtual IP), which is useful when direct endpoint connections are preferred and proxying is not required.  Only applies to types ClusterIP, NodePort, and LoadBalancer. If this field is specified when creating a Service of type ExternalName, creation will fail. This field will be wiped when updating a Service to type ExternalName. More info: https://kubernetes.io/docs/concepts/services-networking/service/#virtual-ips-and-service-proxies',
    (service) =>
      orNone(textAt(service, "spec", "clusterIPs", 0) || textAt(service, "spec", "clusterIP")),
  ),
  column(
    "External-IP",
    "externalIPs is a list of IP addresses for which nodes in the cluster will also accept traffic for this service.  These IPs are not managed by Kubernetes.  The user is responsible for ensuring that traffic arrives at a node with this IP.  A common example is external load-balancers that are not part of the Kubernetes system.",
    externalAddress,
  ),
  column(
    "Port(s)",
    "The list of ports that are exposed by this service. More info: https://kubernetes.io/docs/concepts/services-networking/service/#virtual-ips-and-service-proxies",
    (service) => orNone(listAt(service, "spec", "ports").map(printedPort).join(",")),
  ),
  ageColumn,
  column(
    "Selector",
    "Route service traffic to pods with label keys and values matching this selector. If empty or not present, the service is assumed to have an external process managing its endpoints, which Kubernetes will not modify. Only applies to types ClusterIP, NodePort, and LoadBalancer. Ignored if type is ExternalName. More info: https://kubernetes.io/docs/concepts/services-networking/service/",
    (service) => printedLabels(objectAt(service, "spec", "selector")),
    wide,
  ),
];

function externalAddress(service: KubernetesObject): string {
  const external = textsAt(service, "spec", "externalIPs");
  switch (textAt(service, "spec", "type")) {
    case "ClusterIP":
    case "NodePort":
      return orNone(external.join(","));
    case "LoadBalancer": {
      const ingress = listAt(service, "status", "loadBalancer", "ingress");
      const balanced = ingress.map((one) => textAt(one, "ip") || textAt(one, "hostname"));
      const all = [...new Set(balanced)].filter((one) => one !== "").sort();
      return [...all, ...external].join(",") || "<pending>";
    }
    case "ExternalName":
      return textAt(service, "spec", "externalName");
    default:
      return "<unknown>";
  }
}

function printedPort(port: JsonValue): string {
  const [number, node] = [numberAt(port, "port"), numberAt(port, "nodePort")];
  const protocol = textAt(port, "protocol");
  return node > 0 ? `${number}:${node}/${protocol}` : `${number}/${protocol}`;
}

export const eventColumns: readonly PrinterColumn[] = [
  column(
    "Last Seen",
    "The time at which the most recent occurrence of this event was recorded.",
    lastSeen,
  ),
  column(
    "Type",
    "Type of this event (Normal, Warning), new types could be added in the future",
    (event) => textAt(event, "type"),
  ),
  column(
    "Reason",
    "This should be a short, machine understandable string that gives the reason for the transition into the object's current status.",
    (event) => textAt(event, "reason"),
  ),
  column("Object", "The object that this event is about.", (event) => {
    const [kind, name] = [
      textAt(event, "involvedObject", "kind").toLowerCase(),
      textAt(event, "involvedObject", "name"),
    ];
    return name === "" ? kind : `${kind}/${name}`;
  }),
  column(
    "Subobject",
    'If referring to a piece of an object instead of an entire object, this string should contain a valid JSON/Go field access statement, such as desiredState.manifest.containers[2]. For example, if the object reference is to a container within a pod, this would take on a value like: "spec.containers{name}" (where "name" refers to the name of the container that triggered the event) or if no container name is specified "spec.containers[2]" (container with index 2 in this pod). This syntax is chosen only to have some well-defined way of referencing a part of an object.',
    (event) => textAt(event, "involvedObject", "fieldPath"),
    wide,
  ),
  column(
    "Source",
    "The component reporting this event. Should be a short machine understandable string.",
    (event) => {
      const component = textAt(event, "source", "component") || textAt(event, "reportingComponent");
      const instance = textAt(event, "source", "host") || textAt(event, "reportingInstance");
      return instance === "" ? component : `${component}, ${instance}`;
    },
    wide,
  ),
  column("Message", "A human-readable description of the status of this operation.", (event) =>
    textAt(event, "message").trim(),
  ),
  column(
    "First Seen",
    "The time at which the event was first recorded. (Time of server receipt is in TypeMeta.)",
    firstSeen,
    wide,
  ),
  column("Count", "The number of times this event has occurred.", eventCount, wide),
  column(nameColumn.name, nameColumn.description, nameColumn.cell, { ...wide, format: "name" }),
];

function firstSeen(event: KubernetesObject, now: number): string {
  return printedSince(textAt(event, "firstTimestamp") || textAt(event, "eventTime"), now);
}

function lastSeen(event: KubernetesObject, now: number): string {
  if (valueAt(event, ["series"]) != null) {
    return printedSince(textAt(event, "series", "lastObservedTime"), now);
  }
  const last = textAt(event, "lastTimestamp");
  return last === "" ? firstSeen(event, now) : printedSince(last, now);
}

function eventCount(event: KubernetesObject): number {
  if (valueAt(event, ["series"]) != null) return numberAt(event, "series", "count");
  return numberAt(event, "count") || 1;
}

/** As many are shown; of the others their number. */
const MAX_ENDPOINTS = 3;

function printedSubsets(endpoints: KubernetesObject): string {
  const subsets = listAt(endpoints, "subsets");
  if (subsets.length === 0) return "<none>";
  const all = subsets.flatMap((subset) => {
    const addresses = listAt(subset, "addresses").map((one) => textAt(one, "ip"));
    const ports = listAt(subset, "ports").map((one) => numberAt(one, "port"));
    // Headless services may have no ports.
    if (ports.length === 0) return addresses;
    return ports.flatMap((port) => addresses.map((address) => joined(address, port)));
  });
  const shown = all.slice(0, MAX_ENDPOINTS).join(",");
  return all.length > MAX_ENDPOINTS ? `${shown} + ${all.length - MAX_ENDPOINTS} more...` : shown;
}

function joined(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

const size = (object: KubernetesObject, field: string): number =>
  Object.keys(objectAt(object, field)).length;

export const CORE_KINDS: readonly ServedKind[] = [
  builtIn({
    kind: "Namespace",
    plural: "namespaces",
    shortNames: ["ns"],
    namespaced: false,
    verbs: ["create", "delete", "get", "list", "patch", "update", "watch"],
    subresources: ["status"],
    structure: structureOf("Namespace"),
    columns: [
      nameColumn,
      column("Status", "The status of the namespace", (namespace) =>
        textAt(namespace, "status", "phase"),
      ),
      ageColumn,
    ],
  }),
  builtIn({
    kind: "ServiceAccount",
    plural: "serviceaccounts",
    shortNames: ["sa"],
    subresources: ["token"],
    structure: structureOf("ServiceAccount"),
    columns: [nameColumn, ageColumn],
  }),
  builtIn({
    kind: "Service",
    plural: "services",
    shortNames: ["svc"],
    categories: ["all"],
    subresources: ["status"],
    structure: structureOf("Service"),
    carriedOver: serviceCarriedOver,
    columns: serviceColumns,
  }),
  builtIn({
    kind: "Endpoints",
    plural: "endpoints",
    shortNames: ["ep"],
    verbs: ["get", "list", "watch"],
    structure: structureOf("Endpoints"),
    columns: [
      nameColumn,
      column(
        "Endpoints",
        "The set of all endpoints is the union of all subsets. Addresses are placed into subsets according to the IPs they share. A single address with multiple ports, some of which are ready and some of which are not (because they come from different containers) will result in the address being displayed in different subsets for the different ports. No address will appear in both Addresses and NotReadyAddresses in the same subset. Sets of addresses and ports that comprise a service.",
        printedSubsets,
      ),
      ageColumn,
    ],
  }),
  builtIn({
    kind: "Pod",
    plural: "pods",
    shortNames: ["po"],
    categories: ["all"],
    subresources: ["status", "log", "exec", "portforward"],
    structure: structureOf("Pod"),
    columns: podColumns,
  }),
  builtIn({
    kind: "ConfigMap",
    plural: "configmaps",
    shortNames: ["cm"],
    structure: structureOf("ConfigMap"),
    columns: [
      nameColumn,
      column(
        "Data",
        "Data contains the configuration data. Each key must consist of alphanumeric characters, '-', '_' or '.'. Values with non-UTF-8 byte sequences must use the BinaryData field. The keys stored in Data must not overlap with the keys in the BinaryData field, this is enforced during validation process.",
        (map) => size(map, "data") + size(map, "binaryData"),
      ),
      ageColumn,
    ],
  }),
  builtIn({
    kind: "Secret",
    plural: "secrets",
    structure: structureOf("Secret"),
    columns: [
      nameColumn,
      column(
        "Type",
        "Used to facilitate programmatic handling of secret data. More info: https://kubernetes.io/docs/concepts/configuration/secret/#secret-types",
        (secret) => textAt(secret, "type"),
      ),
      column(
        "Data",
        "Data contains the secret data. Each key must consist of alphanumeric characters, '-', '_' or '.'. The serialized form of the secret data is a base64 encoded string, representing the arbitrary (possibly non-string) data value here. Described in https://tools.ietf.org/html/rfc4648#section-4",
        (secret) => size(secret, "data"),
      ),
      ageColumn,
    ],
  }),
  builtIn({
    kind: "Event",
    plural: "events",
    shortNames: ["ev"],
    structure: structureOf("Event"),
    columns: eventColumns,
  }),
];
