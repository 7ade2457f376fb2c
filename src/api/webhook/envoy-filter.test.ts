import { testWebhook, type WebhookRow } from "../../../test/kit/webhook-table.ts";

/** Istio warns of every EnvoyFilter. */
const ALWAYS = "spec";
const ROUTER = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router";
const MANAGER = "envoy.filters.network.http_connection_manager";
const VALUE = `value: {name: a, typed_config: {"@type": ${ROUTER}}}`;
const ADD = `patch: {operation: ADD, ${VALUE}}`;
const CLUSTER = "applyTo: CLUSTER, patch: {operation: MERGE, value: {name: a}}";
const patch = (fields: string): string => `{configPatches: [{${fields}}]}`;
const filterMatch = (filter: string, applyTo = "HTTP_FILTER"): string =>
  patch(`applyTo: ${applyTo}, match: {listener: {filterChain: {filter: {${filter}}}}}, ${ADD}`);
const P = "spec.configPatches[0]";
const FILTER = `${P}.match.listener.filterChain.filter`;

interface Row extends Omit<WebhookRow, "warnings"> {
  /** Besides the one that Istio always gives. */
  readonly warnings?: readonly string[];
}

const structure: readonly Row[] = [
  { name: "no patch at all", spec: "{}" },
  { name: "a filter", spec: patch(`applyTo: HTTP_FILTER, ${ADD}`) },
  { name: "no applyTo", spec: patch(ADD), faults: [`${P}.applyTo`] },
  { name: "INVALID is none", spec: patch(`applyTo: INVALID, ${ADD}`), faults: [`${P}.applyTo`] },
  { name: "no patch", spec: patch("applyTo: CLUSTER"), faults: [`${P}.patch`] },
  {
    name: "no operation",
    spec: patch("applyTo: CLUSTER, patch: {value: {}}"),
    faults: [`${P}.patch.operation`],
  },
  {
    name: "no value",
    spec: patch("applyTo: CLUSTER, patch: {operation: ADD}"),
    faults: [`${P}.patch.value`],
  },
  {
    name: "nothing is needed to remove",
    spec: patch("applyTo: CLUSTER, patch: {operation: REMOVE}"),
  },
  { name: "a waypoint's is not judged", spec: patch("match: {context: WAYPOINT}") },
];

const versions: readonly Row[] = [
  { name: "a version", spec: patch(`${CLUSTER}, match: {proxy: {proxyVersion: '^1\\.2.*'}}`) },
  {
    name: "a version that RE2 does not take",
    spec: patch(`${CLUSTER}, match: {proxy: {proxyVersion: '1(?=\\.)'}}`),
    faults: [`${P}.match.proxy.proxyVersion`],
  },
  {
    name: "a version of 1025 bytes",
    spec: patch(`${CLUSTER}, match: {proxy: {proxyVersion: ${"a".repeat(1025)}}}`),
    warnings: [`${P}.match.proxy.proxyVersion`],
  },
];

const matches: readonly Row[] = [
  { name: "a cluster", spec: patch(`${CLUSTER}, match: {cluster: {name: a}}`) },
  {
    name: "a listener for a cluster",
    spec: patch(`${CLUSTER}, match: {listener: {}}`),
    faults: [`${P}.match.listener`],
  },
  {
    name: "a cluster for a route",
    spec: patch("applyTo: HTTP_ROUTE, patch: {operation: REMOVE}, match: {cluster: {}}"),
    faults: [`${P}.match.cluster`],
  },
  {
    name: "a route for a filter, whose value is not looked at then",
    spec: patch(
      "applyTo: HTTP_FILTER, match: {routeConfiguration: {}}, patch: {operation: ADD, value: {}}",
    ),
    faults: [`${P}.match.routeConfiguration`],
  },
  { name: "a filter without name", spec: filterMatch(""), faults: [`${FILTER}.name`] },
  { name: "a filter in a filter", spec: filterMatch(`name: ${MANAGER}, subFilter: {name: a}`) },
  {
    name: "a filter in one that has none",
    spec: filterMatch("name: a, subFilter: {name: b}"),
    faults: [`${FILTER}.subFilter`],
  },
  {
    name: "a filter in a filter without name",
    spec: filterMatch(`name: ${MANAGER}, subFilter: {}`),
    faults: [`${FILTER}.subFilter`],
  },
  {
    name: "a filter in a filter, for a network filter",
    spec: filterMatch(`name: ${MANAGER}, subFilter: {name: a}`, "NETWORK_FILTER"),
    faults: [`${FILTER}.subFilter`],
  },
  {
    name: "a filter for a whole listener",
    spec: filterMatch("name: a", "LISTENER"),
    warnings: [FILTER],
  },
  {
    name: "old names",
    spec: filterMatch("name: envoy.http_connection_manager, subFilter: {name: envoy.router}"),
    warnings: [`${FILTER}.name`, `${FILTER}.subFilter.name`],
  },
];

const typed = (type: string): string =>
  patch(`applyTo: HTTP_FILTER, patch: {operation: ADD, value: {typed_config: {"@type": ${type}}}}`);
const TYPE = `${P}.patch.value.typed_config["@type"]`;

const values: readonly Row[] = [
  {
    name: "an extension by its name alone",
    spec: patch("applyTo: HTTP_FILTER, patch: {operation: ADD, value: {name: a}}"),
    warnings: [`${P}.patch.value`],
  },
  {
    name: "an extension that is found out later",
    spec: patch("applyTo: HTTP_FILTER, patch: {operation: ADD, value: {config_discovery: {}}}"),
  },
  {
    name: "a configuration without type",
    spec: patch("applyTo: HTTP_FILTER, patch: {operation: ADD, value: {typedConfig: {a: 1}}}"),
    faults: [`${P}.patch.value.typedConfig["@type"]`],
  },
  {
    name: "a type of Envoy's old API",
    spec: typed("type.googleapis.com/envoy.config.filter.http.lua.v2.Lua"),
    faults: [TYPE],
  },
  {
    name: "an older one",
    spec: typed("x/envoy.config.filter.http.jwt_authn.v2alpha.A"),
    faults: [TYPE],
  },
  { name: "a type of Istio", spec: typed("x/istio.envoy.config.filter.http.alpn.v2alpha1.A") },
  {
    name: "an old type deep inside",
    spec: patch(
      'applyTo: FILTER_CHAIN, patch: {operation: ADD, value: {filters: [{typed_config: {"@type": x/envoy.api.v2.Cluster}}]}}',
    ),
    faults: [`${P}.patch.value.filters[0].typed_config["@type"]`],
  },
];

const rows: readonly Row[] = [...structure, ...versions, ...matches, ...values];

testWebhook({ apiVersion: "networking.istio.io/v1alpha3", kind: "EnvoyFilter" }, [
  ...rows.map((row) => ({ ...row, warnings: [ALWAYS, ...(row.warnings ?? [])] })),
  {
    name: "VAL-3 a wildcard in a selector, after which nothing else is looked at",
    spec: "{workloadSelector: {labels: {a: '*'}}, configPatches: [{}]}",
    faults: ["spec.workloadSelector.labels.a"],
  },
]);
