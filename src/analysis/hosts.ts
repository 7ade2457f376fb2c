/** Names of hosts as VirtualServices and DestinationRules write them. Source: `pkg/config/host/name.go` and `util/hosts.go` of istio/istio. */
import type { AnalyzedMesh } from "./analyzed-mesh.ts";
import type { Field } from "./field.ts";

const CLUSTER_LOCAL = "svc.cluster.local";
const ALL = "*";

/** A short name belongs to the namespace it is written in; with a dot or a star it is whole already. */
export function fullHost(namespace: string, host: string): string {
  const isWhole = host.startsWith("*") || host.includes(".");
  return isWhole ? host : `${host}.${namespace}.${CLUSTER_LOCAL}`;
}

/** `shop/cart` of `cart.shop.svc.cluster.local`, or of a short name in `namespace`. */
export function serviceOfHost(namespace: string, host: string): string {
  const [, name, inNamespace] = /^(.+)\.(.+)\.svc\.cluster\.local$/.exec(host) ?? [];
  return name === undefined ? `${namespace}/${host}` : `${inNamespace}/${name}`;
}

/** Whether two names, each of which may begin with a star, share a host. */
export function hostsMeet(one: string, other: string): boolean {
  const [starOne, starOther] = [one.startsWith("*"), other.startsWith("*")];
  const [endOne, endOther] = [one.slice(1), other.slice(1)];
  if (starOne && starOther) return endOne.endsWith(endOther) || endOther.endsWith(endOne);
  if (starOne) return other.endsWith(endOne);
  return starOther ? one.endsWith(endOther) : one === other;
}

/** Namespaces that something is exported to: "*", or names. */
export function exportScopes(exportTo: readonly string[], namespace: string): readonly string[] {
  if (exportTo.length === 0 || exportTo.includes(ALL)) return [ALL];
  return [...new Set(exportTo.map((to) => (to === "." ? namespace : to)))];
}

/** What serves a host: a Service, or a ServiceEntry. */
export interface KnownHost {
  readonly ports: readonly number[];
  /** Of a ServiceEntry that selects pods. */
  readonly selector: Readonly<Record<string, string>>;
}

/** Every host that Services and ServiceEntries make known, by `SCOPE/HOST`. */
export function knownHosts(mesh: AnalyzedMesh): ReadonlyMap<string, KnownHost> {
  const hosts = new Map<string, KnownHost>();
  for (const { spec, namespace } of mesh.of("ServiceEntry")) {
    const selector = spec.at("workloadSelector", "labels").labels;
    const known = { ports: portNumbers(spec, "number"), selector };
    for (const scope of exportScopes(spec.at("exportTo").texts, namespace))
      for (const host of spec.at("hosts").texts)
        hosts.set(`${scope}/${fullHost(namespace, host)}`, known);
  }
  for (const { spec, namespace, name, annotations } of mesh.of("Service")) {
    const exported = annotations["networking.istio.io/exportTo"] ?? "";
    const exportTo = exported === "" ? [] : exported.split(",").map((one) => one.trim());
    const known = { ports: portNumbers(spec, "port"), selector: {} };
    const scopes = exportTo.map((to) => (to === "." ? namespace : to));
    for (const scope of scopes.length === 0 ? [ALL] : scopes)
      hosts.set(`${scope}/${fullHost(namespace, name)}`, known);
  }
  return hosts;
}

function portNumbers(spec: Field, field: string): readonly number[] {
  return spec.at("ports").items.map((port) => port.at(field).number ?? 0);
}

/** What serves a host for whoever writes it in `namespace`; undefined: nothing that it may see. */
export function findHost(
  known: ReadonlyMap<string, KnownHost>,
  asked: {
    readonly namespace: string;
    readonly exportTo: readonly string[];
    readonly host: string;
  },
): KnownHost | undefined {
  const { namespace, host } = asked;
  const scopes = asked.exportTo.map((to) => (to === "." ? namespace : to));
  for (const scope of [ALL, ...(scopes.length === 0 ? [namespace] : scopes)]) {
    const found = known.get(`${scope}/${fullHost(namespace, host)}`);
    if (found !== undefined) return found;
  }
  const [, wild] =
    [...known].find(([key]) => {
      const [scope = "", name = ""] = key.split("/");
      const isSeen = scope === ALL || scope === namespace;
      return isSeen && name.startsWith("*") && host.replace(/^\*/, "").endsWith(name.slice(1));
    }) ?? [];
  return wild;
}
