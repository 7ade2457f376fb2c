/**
 * What an update leaves as the server had it, where the client does not say otherwise. Source: Kubernetes
 * pkg/registry/core/service/strategy.go.
 */
import { listAt, numberAt, objectAt, textAt } from "./json-access.ts";
import type { JsonObject, JsonValue, KubernetesObject } from "./kubernetes-object.ts";

type CarryOver = (before: KubernetesObject, after: KubernetesObject) => KubernetesObject;

/** Addresses and ports that were given out; and what only a service of another sort says. */
export const serviceCarriedOver: CarryOver = (before, after) => {
  const old = objectAt(before, "spec");
  let spec = objectAt(after, "spec");
  if (hasAddress(old) && hasAddress(spec)) spec = withAddresses(old, spec);
  if (hasNodePorts(old) && hasNodePorts(spec)) spec = withNodePorts(old, spec);
  const same = textAt(old, "externalTrafficPolicy") === textAt(spec, "externalTrafficPolicy");
  if (isReachable(old) && !isReachable(spec) && same) {
    const { externalTrafficPolicy: _, ...rest } = spec;
    spec = rest;
  }
  return { ...after, spec };
};

const hasAddress = (spec: JsonObject): boolean => textAt(spec, "type") !== "ExternalName";

const hasNodePorts = (spec: JsonObject): boolean =>
  ["NodePort", "LoadBalancer"].includes(textAt(spec, "type"));

const isReachable = (spec: JsonObject): boolean =>
  hasNodePorts(spec) || (hasAddress(spec) && listAt(spec, "externalIPs").length > 0);

const ADDRESS_FIELDS = ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"];

function withAddresses(old: JsonObject, spec: JsonObject): JsonObject {
  const another = textAt(spec, "clusterIP") !== "" && spec["clusterIP"] !== old["clusterIP"];
  if (another) return spec;
  const carried = ADDRESS_FIELDS.filter(
    (field) => spec[field] === undefined && old[field] !== undefined,
  );
  return { ...spec, ...Object.fromEntries(carried.map((field) => [field, old[field]])) };
}

function withNodePorts(old: JsonObject, spec: JsonObject): JsonObject {
  const given = listAt(old, "ports");
  const ports = listAt(spec, "ports").map((port): JsonValue => {
    if (numberAt(port, "nodePort") !== 0) return port;
    const known = given.find((one) => isSamePort(one, port));
    const nodePort = numberAt(known, "nodePort");
    return nodePort === 0 ? port : { ...(port as JsonObject), nodePort };
  });
  return { ...spec, ports };
}

const isSamePort = (one: JsonValue, other: JsonValue): boolean =>
  numberAt(one, "port") === numberAt(other, "port") &&
  textAt(one, "protocol") === textAt(other, "protocol");
