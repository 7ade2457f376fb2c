import assert from "node:assert/strict";
import { test } from "node:test";
import { resourcesOf, snapshotOf } from "../../test/kit/mesh-parts.ts";
import { ofKind } from "./mesh-snapshot.ts";
import { podHostname } from "./pod-domain.ts";

const template = (app: string, more = ""): string =>
  `template: {metadata: {labels: {app: ${app}}}, spec: {${more}containers: [{name: a, image: x}]}}`;
const owner = (kind: string, name: string, spec: string, namespace = "shop"): string => `---
apiVersion: apps/v1
kind: ${kind}
metadata: {name: ${name}, namespace: ${namespace}}
spec: {selector: {matchLabels: {app: ${name}}}, ${spec}}
`;
const service = (name: string, clusterIp = "None"): string => `---
apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: shop}
spec: {clusterIP: ${clusterIp}, selector: {tier: any}, ports: [{port: 80}]}
`;
const MESH = [
  owner("StatefulSet", "etcd", `serviceName: peers, ${template("etcd")}`),
  owner("StatefulSet", "queue", `serviceName: brokers, ${template("queue")}`),
  owner("StatefulSet", "etcd", template("etcd"), "stock"),
  owner("Deployment", "front", template("front", "hostname: door, subdomain: peers, ")),
  owner("Deployment", "queue", template("queue")),
  owner("Deployment", "half", template("half", "hostname: door, ")),
].join("");
const { workloads, podDomains } = snapshotOf(MESH);

const cases: [pod: string, service: string, hostname: string | undefined][] = [
  ["StatefulSet shop/etcd", service("peers"), "etcd-0"],
  ["StatefulSet shop/etcd", service("brokers"), undefined],
  ["StatefulSet shop/queue", service("brokers"), "queue-0"],
  ["StatefulSet shop/queue", service("peers"), undefined],
  ["StatefulSet stock/etcd", service("peers"), undefined],
  ["StatefulSet shop/etcd", service("peers", "''"), undefined],
  ["Deployment shop/front", service("peers"), "door"],
  ["Deployment shop/front", service("brokers"), undefined],
  ["Deployment shop/queue", service("brokers"), undefined],
  ["Deployment shop/half", service("peers"), undefined],
];
for (const [pod, yaml, hostname] of cases) {
  const [called] = ofKind(resourcesOf(yaml), "Service");
  test(`a pod of ${pod} is called ${hostname ?? "nothing of its own"} below ${called?.headless ? "headless" : "plain"} service ${called?.meta.name}`, () => {
    const workload = workloads.find(
      ({ ownerKind, namespace, owner: name }) => `${ownerKind} ${namespace}/${name}` === pod,
    );
    assert.ok(workload && called);
    assert.equal(podHostname(podDomains, { workload, service: called }), hostname);
  });
}
