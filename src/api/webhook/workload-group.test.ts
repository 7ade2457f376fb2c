import { testWebhook } from "../../../test/kit/webhook-table.ts";

const probe = (fields: string): string => `{template: {}, probe: {${fields}}}`;

testWebhook({ apiVersion: "networking.istio.io/v1", kind: "WorkloadGroup" }, [
  { name: "an empty template", spec: "{template: {}}" },
  { name: "a template is not judged", spec: "{template: {address: '!', ports: {a_b: 0}}}" },
  { name: "no template", spec: "{}", faults: ["spec.template"] },
  {
    name: "a label of its workloads",
    spec: "{template: {}, metadata: {labels: {-a: b}}}",
    faults: ["spec.metadata.labels.-a"],
  },
  { name: "a probe over HTTP", spec: probe("httpGet: {port: 80, scheme: HTTPS, path: /ready}") },
  { name: "a probe in clear", spec: probe("httpGet: {port: 80, scheme: HTTP}") },
  { name: "a probe over TCP", spec: probe("tcpSocket: {port: 80}") },
  { name: "a probe by command", spec: probe("exec: {command: [ready]}") },
  { name: "a probe that asks nothing", spec: probe(""), faults: ["spec.probe"] },
  { name: "a probe over gRPC", spec: probe("grpc: {port: 80}"), faults: ["spec.probe.grpc"] },
  { name: "HTTP on no port", spec: probe("httpGet: {}"), faults: ["spec.probe.httpGet.port"] },
  {
    name: "TCP beyond the last port",
    spec: probe("tcpSocket: {port: 65536}"),
    faults: ["spec.probe.tcpSocket.port"],
  },
  {
    name: "a command without words",
    spec: probe("exec: {command: []}"),
    faults: ["spec.probe.exec.command"],
  },
  {
    name: "another scheme",
    spec: probe("httpGet: {port: 80, scheme: http}"),
    faults: ["spec.probe.httpGet.scheme"],
  },
  {
    name: "headers: an underscore, and no name",
    spec: probe("httpGet: {port: 80, httpHeaders: [{name: X-A}, {name: x_b}, {value: c}]}"),
    faults: ["spec.probe.httpGet.httpHeaders[1].name", "spec.probe.httpGet.httpHeaders[2].name"],
  },
  {
    name: "negative counts",
    spec: probe(
      "tcpSocket: {port: 80}, periodSeconds: -1, failureThreshold: -2, timeoutSeconds: 0",
    ),
    faults: ["spec.probe.periodSeconds", "spec.probe.failureThreshold"],
  },
]);
