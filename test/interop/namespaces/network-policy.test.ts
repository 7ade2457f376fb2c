/**
 * NetworkPolicy as the kernel enforces it, between real pods, by both address families: each policy is put into the folder
 * of a running mesh, then everybody calls everybody.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { IpAddresses } from "../../../src/policy/workload.ts";
import { MeshInNamespaces, namespacesMissing } from "../../kit/mesh-in-namespaces.ts";
import type { PodAgent } from "../../kit/pod-agent.ts";

const PODS = ["shop/web", "shop/api", "lab/probe"] as const;
type PodName = (typeof PODS)[number];
const [WEB, API, PROBE] = PODS;
const FAMILIES = ["ipv4", "ipv6"] as const;
/** Named `http`, `admin`, and not at all. */
const [HTTP, ADMIN, PLAIN] = [80, 81, 9_000];
const PORTS = [HTTP, ADMIN, PLAIN];
const REFUSED = "ECONNREFUSED";

interface Call {
  readonly from: PodName;
  readonly to: PodName;
  readonly port: number;
  readonly family: (typeof FAMILIES)[number];
}

type Addresses = Readonly<Record<PodName, IpAddresses>>;

interface PolicyCase {
  readonly name: string;
  /** `spec` of a policy in the namespace `shop`. */
  readonly spec: (addresses: Addresses) => object;
  readonly allows: (call: Call) => boolean;
}

const toApi = { podSelector: { matchLabels: { app: "api" } } };
const ofApi = { ...toApi, policyTypes: ["Egress"] };

const CASES: readonly PolicyCase[] = [
  {
    name: "nobody may come in",
    spec: () => toApi,
    allows: ({ from, to }) => to !== API || from === API,
  },
  {
    name: "pods of the own namespace may come in",
    spec: () => ({ ...toApi, ingress: [{ from: [{ podSelector: {} }] }] }),
    allows: ({ from, to }) => to !== API || from !== PROBE,
  },
  {
    name: "pods of a labelled namespace may come in, to a named port",
    spec: () => ({
      ...toApi,
      ingress: [
        {
          from: [{ namespaceSelector: { matchLabels: { purpose: "trials" } } }],
          ports: [{ port: "admin" }],
        },
      ],
    }),
    allows: ({ from, to, port }) =>
      to !== API || from === API || (from === PROBE && port === ADMIN),
  },
  {
    name: "a range of ports is open to everybody",
    spec: () => ({ ...toApi, ingress: [{ ports: [{ port: 81, endPort: 9_000 }] }] }),
    allows: ({ from, to, port }) => to !== API || from === API || port !== HTTP,
  },
  {
    name: "an IPv4 block with an exception admits nobody by IPv6",
    spec: (addresses) => ({
      ...toApi,
      ingress: [
        {
          from: [{ ipBlock: { cidr: "10.244.0.0/16", except: [`${addresses[PROBE].ipv4}/32`] } }],
        },
      ],
    }),
    allows: ({ from, to, family }) =>
      to !== API || from === API || (family === "ipv4" && from === WEB),
  },
  {
    name: "an IPv6 block with an exception admits nobody by IPv4",
    spec: (addresses) => ({
      ...toApi,
      ingress: [
        {
          from: [{ ipBlock: { cidr: "fd00:10:244::/64", except: [`${addresses[WEB].ipv6}/128`] } }],
        },
      ],
    }),
    allows: ({ from, to, family }) =>
      to !== API || from === API || (family === "ipv6" && from === PROBE),
  },
  {
    name: "nobody may be called",
    spec: () => ofApi,
    allows: ({ from, to }) => from !== API || to === API,
  },
  {
    name: "one pod may be called, at a port by its name there",
    spec: () => ({
      ...ofApi,
      egress: [
        { to: [{ podSelector: { matchLabels: { app: "web" } } }], ports: [{ port: "http" }] },
      ],
    }),
    allows: ({ from, to, port }) => from !== API || to === API || (to === WEB && port === HTTP),
  },
  {
    name: "addresses of one block may be called, but for one, in a range of ports",
    spec: (addresses) => ({
      ...ofApi,
      egress: [
        {
          to: [{ ipBlock: { cidr: "10.244.0.0/24", except: [`${addresses[WEB].ipv4}/32`] } }],
          ports: [{ port: 80, endPort: 81 }],
        },
      ],
    }),
    allows: ({ from, to, port, family }) =>
      from !== API || to === API || (to === PROBE && family === "ipv4" && port !== PLAIN),
  },
];

describe("NetworkPolicy in the kernel", { skip: namespacesMissing() }, () => {
  let mesh: MeshInNamespaces;
  let addresses: Addresses;

  before(async () => {
    mesh = await MeshInNamespaces.start({
      folders: ["test/meshes/agents"],
      texts: { "pods.yaml": [NAMESPACES, ...PODS.map(manifestOf)].join("---") },
    });
    const found = await Promise.all(
      PODS.map(async (pod) => [pod, await mesh.addresses(`${pod}-0`)] as const),
    );
    addresses = Object.fromEntries(found) as Record<PodName, IpAddresses>;
    await Promise.all(PODS.map((pod) => agent(pod).listen(...PORTS)));
  });
  after(() => mesh?.remove());

  const agent = (pod: PodName): PodAgent => mesh.agent(`${pod}-0`);

  async function assertCalls(allows: PolicyCase["allows"]): Promise<void> {
    const wrong: string[] = [];
    for (const call of CALLS) {
      const { from, to, port, family } = call;
      const heard = await agent(from).call(addresses[to][family], port);
      const expected = allows(call) ? `${to.split("/")[1]}-0` : REFUSED;
      if (heard !== expected) wrong.push(`${from} calls ${to}:${port} by ${family}: ${heard}`);
    }
    assert.deepEqual(wrong, []);
  }

  test("without policies everybody reaches everybody", () => assertCalls(() => true));

  for (const { name, spec, allows } of CASES) {
    test(name, async () => {
      const verdicts = CALLS.map(allows);
      assert.ok(verdicts.includes(true) && verdicts.includes(false), "the case shows nothing");
      await mesh.change("policy.yaml", policy(spec(addresses)));
      await assertCalls(allows);
    });
  }

  for (const [what, spec] of [
    ["who may come in", toApi],
    [
      "who may be called",
      { podSelector: { matchLabels: { app: "web" } }, policyTypes: ["Egress"] },
    ],
  ] as const) {
    test(`a policy of ${what} cuts a connection that stands`, async () => {
      const everybody = { podSelector: {}, ingress: [{}] };
      for (const family of FAMILIES) {
        await mesh.change("policy.yaml", policy(everybody));
        assert.equal(await agent(WEB).keep(addresses[API][family], HTTP), "api-0");
        assert.equal(await agent(WEB).say(), "api-0");
        await mesh.change("policy.yaml", policy(spec));
        assert.equal(await agent(WEB).say(), "ECONNRESET");
        assert.equal(await agent(WEB).call(addresses[API][family], HTTP), REFUSED);
      }
    });
  }

  test("a pod that is cut off still has names, and itself", async () => {
    const none = { podSelector: {}, policyTypes: ["Ingress", "Egress"] };
    await mesh.change("policy.yaml", policy(none));
    assert.deepEqual(await agent(API).lookUp("web"), await agent(PROBE).lookUp("web.shop"));
    assert.equal(await agent(API).call(addresses[API].ipv4, HTTP), "api-0");
    assert.equal(await agent(API).call("127.0.0.1", HTTP), "api-0");
    assert.equal(await agent(API).call("web", HTTP), REFUSED);
  });
});

const CALLS: readonly Call[] = PODS.flatMap((from) =>
  PODS.flatMap((to) =>
    PORTS.flatMap((port) => FAMILIES.map((family): Call => ({ from, to, port, family }))),
  ),
);

const NAMESPACES = `
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {purpose: sales}}
---
apiVersion: v1
kind: Namespace
metadata: {name: lab, labels: {purpose: trials}}
`;

function policy(spec: object): string {
  return JSON.stringify({
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "tried", namespace: "shop" },
    spec,
  });
}

function manifestOf(pod: PodName): string {
  const [namespace, name] = pod.split("/");
  return `
apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: ${namespace}}
spec: {selector: {app: ${name}}, ports: [{port: ${HTTP}}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, namespace: ${namespace}}
spec:
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec:
      containers:
      - name: agent
        image: serve
        ports: [{name: http, containerPort: ${HTTP}}, {name: admin, containerPort: ${ADMIN}}]
`;
}
