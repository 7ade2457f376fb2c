import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { outsideDestination } from "../../test/kit/outside-destination.ts";
import { destination } from "../../test/kit/sidecar-fixture.ts";
import type { Destination } from "../policy/workload-view.ts";
import { DestinationAddresses } from "./destination-addresses.ts";
import { namedDestination, outboundCluster } from "./outbound-call.ts";

const API_ADDRESSES = ["10.96.0.7", "fd00:10:96::7"];
const api: Destination = {
  ...destination({ name: "api", port: 8080 }),
  servicePort: 80,
  addresses: API_ADDRESSES,
};
const [endpoint] = destination({ name: "etcd", port: 2379 }).endpoints;
assert.ok(endpoint);
const pods = [4, 5].map((last) => ({
  ...endpoint,
  workload: `etcd-${last}`,
  address: { address: `10.244.0.${last}`, port: 2379 },
  podAddresses: [`10.244.0.${last}`, `fd00:10:244:0::${last}`],
}));
const etcd: Destination = {
  ...destination({ name: "etcd", port: 2379 }),
  servicePort: 12_379,
  headless: true,
  addresses: [],
  endpoints: pods,
};
const destinations = [etcd, api];
const index = new DestinationAddresses(destinations);

const found: [address: string, port: number, host: string, workload?: string][] = [
  ["10.96.0.7", 80, api.host],
  ["fd00:10:96::7", 80, api.host],
  ["fd00:10:96:0::7", 80, api.host],
  ["::ffff:10.96.0.7", 80, api.host],
  ["10.244.0.4", 2379, etcd.host, "etcd-4"],
  ["fd00:10:244::5", 2379, etcd.host, "etcd-5"],
];
for (const [address, port, host, workload] of found) {
  test(`${address}:${port} is ${workload ?? host}`, () => {
    const name = index.find({ address, port });
    assert.equal(name?.host, host);
    assert.ok(name);
    const meant = namedDestination(byCluster(destinations), name);
    assert.equal(meant?.host, host);
    const endpoints = meant.endpoints.map((one) => one.workload);
    assert.deepEqual(endpoints, workload === undefined ? ["api-0"] : [workload]);
  });
}

for (const [address, port] of [
  ["10.96.0.7", 8080],
  ["10.96.0.8", 80],
  ["10.244.0.4", 12_379],
  ["10.244.0.6", 2379],
  ["127.0.0.1", 8080],
] as const) {
  test(`${address}:${port} is nothing of the mesh`, () => {
    assert.equal(index.find({ address, port }), undefined);
  });
}

const byCluster = (destinations: readonly Destination[]): ReadonlyMap<string, Destination> =>
  new Map(destinations.map((one) => [outboundCluster(one), one]));

test("the pod of a headless service that is gone leaves the name without an endpoint", () => {
  const name = index.find({ address: "10.244.0.4", port: 2379 });
  assert.ok(name);
  const without = namedDestination(byCluster([{ ...etcd, endpoints: pods.slice(1) }]), name);
  assert.deepEqual(without?.endpoints, []);
  assert.equal(namedDestination(byCluster([api]), name), undefined);
});

test("every address of every service leads back to it, in whatever order they come", () => {
  const many = Array.from({ length: 50 }, (_, at) => ({
    ...api,
    host: `api-${at}.production.svc.cluster.local`,
    addresses: [`10.96.1.${at}`, `fd00:10:96::1:${at}`],
  }));
  fc.assert(
    fc.property(fc.shuffledSubarray(many, { minLength: 1 }), (some) => {
      const made = new DestinationAddresses(some);
      for (const { host, servicePort, addresses } of some) {
        for (const address of addresses) {
          assert.deepEqual(made.find({ address, port: servicePort }), { host, servicePort });
        }
      }
    }),
    { numRuns: 20 },
  );
});

/** As another namespace may export to all. */
function claim(servicePort: number, addresses: string[], ranges: string[] = []): Destination {
  const made = outsideDestination({ port: 1, servicePort });
  const { serviceEntry } = made;
  assert.ok(serviceEntry);
  return { ...made, addresses, serviceEntry: { ...serviceEntry, ranges } };
}

const claims: [
  what: string,
  entry: Destination,
  port: number,
  claimed: string[],
  free: string[],
][] = [
  [
    "a service's address, on a port that it does not have",
    claim(9090, ["10.96.0.7", "fd00:10:96:0::7", "10.96.0.8"]),
    9090,
    ["10.96.0.7", "fd00:10:96::7", "::ffff:10.96.0.7"],
    ["10.96.0.8"],
  ],
  [
    "a pod's address",
    claim(9090, ["10.244.0.4", "fd00:10:244::5", "10.244.0.9"]),
    9090,
    ["10.244.0.4", "fd00:10:244:0::5", "::ffff:10.244.0.4"],
    ["10.244.0.9"],
  ],
  [
    "ranges around them",
    claim(9090, [], ["10.0.0.0/8", "fd00::/8"]),
    9090,
    ["10.244.0.4", "10.96.0.7", "fd00:10:244::5", "::ffff:10.244.0.4"],
    ["10.1.2.3", "fd00::1"],
  ],
];
test("a ServiceEntry that leads to the pod whose address it has says how calls go there (pass-through)", () => {
  const [pod] = pods;
  assert.ok(pod);
  const entry = { ...claim(9090, ["10.244.0.4"]), endpoints: [pod] };
  const made = new DestinationAddresses([...destinations, entry]);
  assert.equal(made.find({ address: "10.244.0.4", port: 9090 })?.host, entry.host);
  const both = new DestinationAddresses([...destinations, { ...entry, endpoints: pods }]);
  assert.equal(both.find({ address: "10.244.0.4", port: 9090 }), undefined);
});

test("a range that leads nowhere else than where it is called has pods, too", () => {
  const { serviceEntry, ...rest } = claim(9090, [], ["10.0.0.0/8"]);
  assert.ok(serviceEntry);
  const entry = {
    ...rest,
    endpoints: [],
    serviceEntry: { ...serviceEntry, resolution: "NONE" },
  } as const;
  const made = new DestinationAddresses([...destinations, entry]);
  const only = { address: "10.244.0.4", port: 9090 };
  assert.deepEqual(made.find(only), { host: entry.host, servicePort: 9090, only });
});

for (const [what, entry, port, claimed, free] of claims) {
  test(`a ServiceEntry that claims ${what} does not get its calls`, () => {
    const made = new DestinationAddresses([...destinations, entry]);
    for (const address of claimed) assert.equal(made.find({ address, port }), undefined, address);
    for (const address of free)
      assert.equal(made.find({ address, port })?.host, entry.host, address);
  });
}
