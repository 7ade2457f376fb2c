import { testWebhook } from "../../../test/kit/webhook-table.ts";

const labels = (pair: string): string => `{address: 1.1.1.1, labels: {${pair}}}`;

testWebhook({ apiVersion: "networking.istio.io/v1", kind: "WorkloadEntry" }, [
  { name: "an IPv4 address", spec: "{address: 1.2.3.4}" },
  { name: "an IPv6 address", spec: '{address: "2001:db8::1"}' },
  { name: "the name of a host", spec: "{address: vm.example.com, ports: {web: 8080}}" },
  { name: "no address", spec: "{}", faults: ["spec.address"] },
  { name: "no address, in a network", spec: "{network: east}", warnings: ["spec.network"] },
  { name: "an address with a port", spec: "{address: a.com:80}", faults: ["spec.address"] },
  { name: "a wildcard", spec: '{address: "*.a.com"}', faults: ["spec.address"] },
  { name: "a range", spec: "{address: 10.0.0.0/8}", faults: ["spec.address"] },
  { name: "a socket", spec: "{address: unix:///run/app.sock}" },
  { name: "an abstract socket", spec: "{address: unix://@app}" },
  { name: "a socket without file", spec: "{address: unix:///run/}", faults: ["spec.address"] },
  { name: "a relative socket", spec: "{address: unix://./app.sock}", faults: ["spec.address"] },
  {
    name: "a socket with ports",
    spec: "{address: unix:///a, ports: {web: 80}}",
    faults: ["spec.ports"],
  },
  {
    name: "ports without name or number",
    spec: "{address: 1.1.1.1, ports: {a_b: 80, web: 0}}",
    faults: ["spec.ports.a_b", "spec.ports.web"],
  },
  { name: "a label with a prefix", spec: labels("example.com/app: shop") },
  { name: "a prefix in capitals", spec: labels("Example.com/app: shop") },
  { name: "a value of 64 characters", spec: labels(`app: ${"x".repeat(64)}`) },
  {
    name: "a key of 64 characters",
    spec: labels(`${"x".repeat(64)}: v`),
    faults: [`spec.labels.${"x".repeat(64)}`],
  },
  { name: "an empty key", spec: labels('"": v'), faults: ['spec.labels[""]'] },
  { name: "a value with a space", spec: labels("app: a b"), faults: ["spec.labels.app"] },
]);
