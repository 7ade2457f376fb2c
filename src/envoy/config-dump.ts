/** Envoy's own `/config_dump`, as istioctl reads it from a file: which listeners, clusters, routes and endpoints it has. */
import type {
  ClusterLoadAssignment,
  EnvoyCluster,
  EnvoyConfig,
  EnvoyListener,
  RouteConfiguration,
} from "./envoy-json.ts";

/** What one part of a dump is, in the JSON of proto3. */
export type DumpPart = Readonly<Record<string, unknown>>;

/** Keys of these are names of users, and stay as they are. */
const NAMED_BY_USERS: ReadonlySet<string> = new Set(["filterMetadata", "policies"]);
const SNAKE_CASE = /^[a-z][a-z0-9]*(?:_[a-z0-9]+)+$/;

/**
 * @param dump JSON as Envoy writes it, with names in snake case, or as proto3 does
 * @returns the part of that type, or undefined
 */
export function dumpPart(dump: unknown, type: string): DumpPart | undefined {
  const { configs } = camelCased(dump) as { readonly configs?: readonly DumpPart[] };
  return configs?.find((part) => String(part["@type"]).endsWith(`.${type}`));
}

/** What is absent in a dump is empty. */
export function readConfigDump(dump: unknown): EnvoyConfig {
  const inside = <T>(type: string, lists: Readonly<Record<string, readonly string[]>>): T[] =>
    Object.entries(lists).flatMap(([list, path]) =>
      itemsOf(dumpPart(dump, type)?.[list]).flatMap((item) => {
        const found = path.reduce<unknown>((value, name) => fieldOf(value, name), item);
        return found === undefined ? [] : [found as T];
      }),
    );
  return {
    listeners: inside<EnvoyListener>("ListenersConfigDump", {
      dynamicListeners: ["activeState", "listener"],
      staticListeners: ["listener"],
    }),
    clusters: inside<EnvoyCluster>("ClustersConfigDump", {
      dynamicActiveClusters: ["cluster"],
      staticClusters: ["cluster"],
    }),
    routes: inside<RouteConfiguration>("RoutesConfigDump", {
      dynamicRouteConfigs: ["routeConfig"],
      staticRouteConfigs: ["routeConfig"],
    }),
    endpoints: inside<ClusterLoadAssignment>("EndpointsConfigDump", {
      dynamicEndpointConfigs: ["endpointConfig"],
      staticEndpointConfigs: ["endpointConfig"],
    }).map(withoutType),
  };
}

function withoutType(assignment: ClusterLoadAssignment): ClusterLoadAssignment {
  const { "@type": _, ...rest } = assignment as ClusterLoadAssignment & { "@type"?: string };
  return rest;
}

function itemsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;
}

function camelCased(value: unknown, ofUsers = false): unknown {
  if (Array.isArray(value)) return value.map((item) => camelCased(item));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      const name =
        !ofUsers && SNAKE_CASE.test(key)
          ? key.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
          : key;
      return [
        name,
        name === "filterMetadata" ? inner : camelCased(inner, NAMED_BY_USERS.has(name)),
      ];
    }),
  );
}
