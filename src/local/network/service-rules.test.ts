import assert from "node:assert/strict";
import { test } from "node:test";
import { type ServiceRoute, serviceChains } from "./service-rules.ts";

function rules(services: readonly ServiceRoute[], own?: string): Record<string, readonly string[]> {
  return Object.fromEntries(serviceChains(services, { own }).map((one) => [one.name, one.rules]));
}
const at = (address: string, port = 8080): { address: string; port: number } => ({ address, port });

test("a service with one endpoint leads straight to it", () => {
  const written = rules([{ addresses: ["10.96.0.2"], port: 80, endpoints: [at("10.244.0.2")] }]);
  assert.deepEqual(written["endpoint-0"], ["meta l4proto tcp dnat ip to 10.244.0.2:8080"]);
  assert.deepEqual(written["services"], [
    "ip daddr . meta l4proto . th dport vmap { 10.96.0.2 . tcp . 80 : goto endpoint-0 }",
  ]);
});

test("several endpoints are drawn by lot, each of them once", () => {
  const endpoints = [at("10.244.0.3"), at("10.244.0.2"), at("10.244.0.3")];
  const written = rules([{ addresses: ["10.96.0.2"], port: 80, endpoints }]);
  assert.deepEqual(written["choice-2"], [
    "numgen random mod 2 vmap { 0 : goto endpoint-0, 1 : goto endpoint-1 }",
  ]);
});

test("a caller gets an endpoint of its own family", () => {
  const endpoints = [at("10.244.0.2"), at("fd00:10:244::2")];
  const addresses = ["10.96.0.2", "fd00:10:96::2"];
  const written = rules([{ addresses, port: 80, endpoints }]);
  assert.deepEqual(written["endpoint-1"], ["meta l4proto tcp dnat ip6 to [fd00:10:244::2]:8080"]);
  assert.equal(written["services"]?.length, 2);
});

test("UDP is a route of its own", () => {
  const endpoints = [at("10.244.0.2", 53)];
  const service = { addresses: ["10.96.0.2"], port: 53, endpoints };
  const written = rules([service, { ...service, protocol: "UDP" }]);
  assert.match(
    String(written["services"]),
    /10\.96\.0\.2 \. tcp \. 53 : goto endpoint-0, 10\.96\.0\.2 \. udp \. 53 : goto endpoint-1/,
  );
  assert.deepEqual(written["endpoint-1"], ["meta l4proto udp dnat ip to 10.244.0.2:53"]);
});

test("services share the chains of their endpoints, and of their choices", () => {
  const endpoints = [at("10.244.0.2"), at("10.244.0.3")];
  const services = [2, 3].map((last) => ({ addresses: [`10.96.0.${last}`], port: 80, endpoints }));
  assert.deepEqual(Object.keys(rules(services)), [
    "endpoint-0",
    "endpoint-1",
    "choice-2",
    "services",
    "service-ends",
  ]);
});

test("what no endpoint serves is refused", () => {
  const written = rules([{ addresses: ["10.96.0.2"], port: 80, endpoints: [] }]);
  assert.deepEqual(Object.keys(written), ["service-ends"]);
  assert.deepEqual(written["service-ends"], [
    "ip daddr 10.96.0.0/16 meta l4proto tcp reject with tcp reset",
    "ip daddr 10.96.0.0/16 reject with icmpx port-unreachable",
    "ip6 daddr fd00:10:96::/112 meta l4proto tcp reject with tcp reset",
    "ip6 daddr fd00:10:96::/112 reject with icmpx port-unreachable",
  ]);
});

test("the sidecar's own traffic is never translated", () => {
  const service = { addresses: ["10.96.0.2"], port: 80, endpoints: [at("10.244.0.2")] };
  assert.equal(rules([service], "meta mark 1337")["services"]?.[0], "meta mark 1337 return");
});
