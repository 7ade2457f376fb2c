import { testWebhook } from "../../../test/kit/webhook-table.ts";

const URL_FIELD = "url: oci://registry.example.com/filter:v1";
const plugin = (fields: string): string => `{${URL_FIELD}, ${fields}}`;
const env = (...variables: string[]): string =>
  plugin(`vmConfig: {env: [${variables.join(", ")}]}`);

testWebhook({ apiVersion: "extensions.istio.io/v1alpha1", kind: "WasmPlugin" }, [
  { name: "an image", spec: `{${URL_FIELD}}` },
  { name: "an image without scheme", spec: "{url: 'registry.example.com/filter:v1'}" },
  { name: "a file", spec: "{url: file:///opt/filter.wasm}" },
  { name: "no url", spec: "{}", faults: ["spec.url"] },
  { name: "another scheme", spec: "{url: ftp://example.com/a}", faults: ["spec.url"] },
  {
    name: "a host that reads as a scheme",
    spec: "{url: 'localhost:5000/a'}",
    faults: ["spec.url"],
  },
  { name: "a broken escape", spec: "{url: https://example.com/%zz}", faults: ["spec.url"] },
  { name: "a sum", spec: plugin(`sha256: ${"0af9".repeat(16)}`) },
  {
    name: "a sum in capitals",
    spec: plugin(`sha256: ${"0AF9".repeat(16)}`),
    faults: ["spec.sha256"],
  },
  { name: "a short sum", spec: plugin("sha256: abc"), faults: ["spec.sha256"] },
  {
    name: "names as long as may be",
    spec: plugin(`imagePullSecret: ${"a".repeat(253)}, pluginName: ${"b".repeat(256)}`),
  },
  {
    name: "names that are too long, in bytes",
    spec: plugin(`imagePullSecret: ${"a".repeat(254)}, pluginName: ${"é".repeat(129)}`),
    faults: ["spec.imagePullSecret", "spec.pluginName"],
  },
  { name: "variables", spec: env("{name: A, value: b}", "{name: B, valueFrom: HOST}") },
  {
    name: "a variable without name, and one twice",
    spec: env("{value: b}", "{name: A}", "{name: A}"),
    faults: ["spec.vmConfig.env[0].name", "spec.vmConfig.env[2].name"],
  },
  {
    name: "a value for a variable of the host",
    spec: env("{name: A, value: b, valueFrom: HOST}"),
    faults: ["spec.vmConfig.env[0].value"],
  },
  {
    name: "ports",
    spec: plugin("match: [{ports: [{number: 80}, {number: 0}, {number: 65536}]}]"),
    faults: ["spec.match[0].ports[1].number", "spec.match[0].ports[2].number"],
  },
  {
    name: "VAL-3 a wildcard in a selector",
    spec: plugin("selector: {matchLabels: {app: 'a*'}}"),
    faults: ["spec.selector.matchLabels.app"],
  },
  {
    name: "VAL-4 a selector without labels",
    spec: plugin("selector: {}"),
    warnings: ["spec.selector"],
  },
  {
    name: "VAL-5 a selector and a target",
    spec: plugin("selector: {matchLabels: {app: a}}, targetRefs: [{kind: Service, name: a}]"),
    faults: ["spec.targetRefs"],
  },
  {
    name: "VAL-6 a target of no known kind",
    spec: plugin("targetRefs: [{group: apps, kind: Deployment, name: a}]"),
    faults: ["spec.targetRefs[0].kind"],
  },
]);
