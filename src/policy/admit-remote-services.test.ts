import assert from "node:assert/strict";
import { test } from "node:test";
import { parseSpiffeId } from "../identity/spiffe-id.ts";
import { admitRemoteServices, type RemoteServiceRules } from "./admit-remote-services.ts";
import type { ExportedEndpoint, ExportedService } from "./exported-services.ts";

const endpoint = (port: number, address = "127.0.0.1"): ExportedEndpoint => ({
  workload: `api-${port}`,
  address: { address, port },
  mutualTls: true,
});
const API: ExportedService = {
  namespace: "shop",
  name: "api",
  identities: [parseSpiffeId("spiffe://cluster.local/ns/shop/sa/api")],
  ports: [{ port: 80, protocol: "http", endpoints: [endpoint(1), endpoint(2)] }],
};
const RULES: RemoteServiceRules = {
  remoteTrustDomain: "cluster.local",
  settings: { trustDomain: "cluster.local", trustDomainAliases: [] },
};
const named = (...ids: string[]): ExportedService => ({
  ...API,
  identities: ids.map(parseSpiffeId),
});
const at = (...endpoints: ExportedEndpoint[]): ExportedService => ({
  ...API,
  ports: [{ port: 80, protocol: "http", endpoints }],
});

test("what is in order is admitted as it was told", () => {
  const services = [API, { ...API, name: "other", identities: [], ports: [] }];
  assert.deepEqual(admitRemoteServices(services, RULES), { services, refusals: [] });
});

const REFUSED = [
  ["another namespace's identity", named("spiffe://cluster.local/ns/bank/sa/api"), /ns\/bank/],
  ["another trust domain's", named("spiffe://elsewhere/ns/shop/sa/api"), /elsewhere/],
  ["no workload's", named("spiffe://cluster.local/shop"), /expected identities spiffe:/],
  [
    "one good identity and one of the control plane",
    named(...API.identities, "spiffe://cluster.local/ns/istio-system/sa/istiod"),
    /istiod/,
  ],
  ["no name", { ...API, name: "a.b" }, /has no name of a service/],
  ["no namespace's name", { ...API, namespace: "Shop" }, /has no name of a service/],
] as const;
for (const [title, service, refusal] of REFUSED)
  test(`a service is refused as a whole: ${title}`, () => {
    const other = { ...API, name: "other" };
    const { services, refusals } = admitRemoteServices([service, other], RULES);
    assert.deepEqual(services, [other]);
    assert.equal(refusals.length, 1);
    assert.match(refusals[0] ?? "", refusal);
  });

const ADDRESSES = [
  ["127.0.0.1", "taken"],
  ["127.9.9.9", "taken"],
  ["::1", "taken"],
  ["::ffff:127.0.0.1", "taken"],
  ["10.0.0.1", "refused"],
  ["0.0.0.0", "refused"],
  ["::", "refused"],
  ["128.0.0.1", "refused"],
  ["::ffff:10.0.0.1", "refused"],
  ["169.254.169.254", "refused"],
] as const;
for (const [address, verdict] of ADDRESSES)
  test(`an endpoint at ${address} is ${verdict}, and the rest of its service taken`, () => {
    const { services, refusals } = admitRemoteServices(
      [at(endpoint(1), endpoint(2, address))],
      RULES,
    );
    assert.equal(services[0]?.ports[0]?.endpoints.length, verdict === "taken" ? 2 : 1);
    assert.equal(refusals.length, verdict === "taken" ? 0 : 1);
    if (verdict === "refused")
      assert.match(refusals[0] ?? "", /"shop\/api" port 80: endpoint .* is not on this machine/);
  });

test("of what is told twice the first counts: services, ports, endpoints", () => {
  const [port] = API.ports;
  assert.ok(port);
  const twice = {
    ...API,
    ports: [
      { ...port, endpoints: [endpoint(1), endpoint(1)] },
      { ...port, endpoints: [endpoint(3)] },
    ],
  };
  const { services, refusals } = admitRemoteServices([twice, API], RULES);
  assert.deepEqual(services, [at(endpoint(1))]);
  assert.deepEqual(
    refusals.map((one) => /twice/.test(one)),
    [true, true, true],
  );
});

test("CA-55: the trust domain of a cluster must be this mesh's, or an alias; issued identities stay as they are", () => {
  const east = named("spiffe://east/ns/shop/sa/api");
  const rules = { ...RULES, remoteTrustDomain: "east" };
  const refused = admitRemoteServices([east], rules);
  assert.deepEqual(refused.services, []);
  assert.match(
    refused.refusals.join(),
    /"east" is not one of this mesh, cluster.local; add it to trustDomainAliases/,
  );
  const settings = { trustDomain: "cluster.local", trustDomainAliases: ["east"] };
  assert.deepEqual(admitRemoteServices([east], { ...rules, settings }), {
    services: [east],
    refusals: [],
  });
  assert.equal(admitRemoteServices([API], { ...rules, settings }).services.length, 0);
});

test("no more than the limits, and no more words than anybody reads", () => {
  const many = Array.from({ length: 40 }, (_, n) => ({ ...API, name: `s${n}` }));
  const limits = { services: 3, endpoints: 5 };
  const { services, refusals } = admitRemoteServices(many, { ...RULES, limits });
  assert.deepEqual(
    services.map(({ name }) => name),
    ["s0", "s1", "s2"],
  );
  assert.equal(
    services.flatMap(({ ports }) => ports.flatMap(({ endpoints }) => endpoints)).length,
    5,
  );
  assert.equal(refusals.length, 21);
  assert.match(refusals[0] ?? "", /endpoint "127.0.0.1:2" is one too many; at most 5/);
  assert.match(refusals[1] ?? "", /"shop\/s3" is one too many; at most 3/);
  assert.equal(refusals.at(-1), "and 18 more");
});
