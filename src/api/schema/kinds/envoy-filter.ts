/**
 * The structure of an EnvoyFilter.
 * Source: https://istio.io/latest/docs/reference/config/networking/envoy-filter/
 */
import { targetRefs } from "../parts/target-reference.ts";
import { networkingSelector } from "../parts/workload-selector.ts";
import { PORT, WAYPOINT_CONTEXT, WORKLOADS_OR_TARGETS } from "../rules.ts";
import {
  anyMap,
  choice,
  int32,
  list,
  mapOf,
  type ObjectSchema,
  object,
  resource,
  text,
  uint32,
} from "../schema.ts";

const listenerMatch = object({
  filterChain: object({
    applicationProtocols: text(),
    destinationPort: uint32(),
    filter: object({ name: text(), subFilter: object({ name: text() }) }),
    name: text(),
    sni: text(),
    transportProtocol: text(),
    transportSocket: text(),
  }),
  listenerFilter: text(),
  name: text(),
  portName: text(),
  portNumber: uint32(),
});

const routeConfigurationMatch = object({
  gateway: text(),
  name: text(),
  portName: text(),
  portNumber: uint32(),
  vhost: object({
    domainName: text(),
    name: text(),
    route: object({
      action: choice(["ANY", "ROUTE", "REDIRECT", "DIRECT_RESPONSE"]),
      name: text(),
    }),
  }),
});

const objectMatch = object(
  {
    cluster: object({ name: text(), portNumber: uint32(), service: text(), subset: text() }),
    context: choice(["ANY", "SIDECAR_INBOUND", "SIDECAR_OUTBOUND", "GATEWAY", "WAYPOINT"]),
    listener: listenerMatch,
    proxy: object({ metadata: mapOf(text()), proxyVersion: text() }),
    routeConfiguration: routeConfigurationMatch,
    waypoint: object({
      filter: object({ name: text(), subFilter: object({ name: text() }) }),
      portNumber: uint32({ rules: [PORT] }),
      route: object({ name: text() }),
    }),
  },
  {
    atMostOneOf: [["listener", "routeConfiguration", "cluster", "waypoint"]],
    rules: [WAYPOINT_CONTEXT],
  },
);

const configPatch = object({
  applyTo: choice([
    "INVALID",
    "LISTENER",
    "FILTER_CHAIN",
    "NETWORK_FILTER",
    "HTTP_FILTER",
    "ROUTE_CONFIGURATION",
    "VIRTUAL_HOST",
    "HTTP_ROUTE",
    "CLUSTER",
    "EXTENSION_CONFIG",
    "BOOTSTRAP",
    "LISTENER_FILTER",
  ]),
  match: objectMatch,
  patch: object({
    filterClass: choice(["UNSPECIFIED", "AUTHN", "AUTHZ", "STATS"]),
    operation: choice([
      "INVALID",
      "MERGE",
      "ADD",
      "REMOVE",
      "INSERT_BEFORE",
      "INSERT_AFTER",
      "INSERT_FIRST",
      "REPLACE",
      "MERGE_AND_REPLACE_LIST",
    ]),
    value: anyMap,
  }),
});

const spec = object(
  {
    configPatches: list(configPatch),
    priority: int32(),
    targetRefs,
    workloadSelector: networkingSelector,
  },
  { rules: [WORKLOADS_OR_TARGETS] },
);

export const envoyFilterSchema: ObjectSchema = resource(spec, "optional");
