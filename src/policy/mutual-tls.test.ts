import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { resourcesOf } from "../../test/kit/mesh-parts.ts";
import {
  MUTUAL_TLS_MODES,
  type PeerAuthentication,
  type PeerAuthenticationMode,
} from "../api/peer-authentication.ts";
import {
  applyingPeerAuthentications,
  byAge,
  composePeerAuthentication,
  mutualTlsOfPort,
  namespaceMutualTls,
  passedOver,
} from "./mutual-tls.ts";

const ROOT = "istio-system";
const subject = { rootNamespace: ROOT, namespace: "shop", labels: { app: "cart", tier: "web" } };

interface Parts {
  readonly namespace?: string;
  readonly name?: string;
  readonly selector?: Readonly<Record<string, string>>;
  readonly mode?: PeerAuthenticationMode;
  readonly ports?: Readonly<Record<number, PeerAuthenticationMode>>;
  readonly created?: string;
}

function policy({
  namespace = "shop",
  name = "p",
  selector = {},
  ...rest
}: Parts): PeerAuthentication {
  const { mode = "UNSET", ports = {}, created } = rest;
  return {
    kind: "PeerAuthentication",
    meta: {
      apiVersion: "security.istio.io/v1",
      namespace,
      name,
      labels: {},
      annotations: {},
      ...(created !== undefined && { creationTimestamp: created }),
      source: { file: `${namespace}-${name}.yaml`, line: 1 },
    },
    selector,
    mode,
    portModes: new Map(Object.entries(ports).map(([port, each]) => [Number(port), each])),
  };
}

const modeOf = (policies: readonly PeerAuthentication[], port: number): string =>
  mutualTlsOfPort(composePeerAuthentication(policies, subject), port).mode;

type Level = PeerAuthenticationMode | "-";
const workedTable: [
  mesh: Level,
  namespace: Level,
  workload: Level,
  port: Level,
  on8080: string,
  others: string,
][] = [
  ["-", "-", "-", "-", "PERMISSIVE", "PERMISSIVE"],
  ["STRICT", "-", "-", "-", "STRICT", "STRICT"],
  ["STRICT", "UNSET", "-", "-", "STRICT", "STRICT"],
  ["STRICT", "PERMISSIVE", "-", "-", "PERMISSIVE", "PERMISSIVE"],
  ["STRICT", "-", "UNSET", "DISABLE", "DISABLE", "STRICT"],
  ["DISABLE", "-", "STRICT", "UNSET", "STRICT", "STRICT"],
  ["-", "STRICT", "DISABLE", "STRICT", "STRICT", "DISABLE"],
  ["UNSET", "UNSET", "UNSET", "PERMISSIVE", "PERMISSIVE", "PERMISSIVE"],
];
for (const [mesh, namespace, workload, port, on8080, others] of workedTable) {
  test(`PA-9..PA-12 mesh ${mesh}, namespace ${namespace}, workload ${workload}, port ${port}`, () => {
    const policies = [
      ...(mesh === "-" ? [] : [policy({ namespace: ROOT, mode: mesh })]),
      ...(namespace === "-" ? [] : [policy({ name: "n", mode: namespace })]),
      ...(workload === "-"
        ? []
        : [
            policy({
              name: "w",
              selector: { app: "cart" },
              mode: workload,
              ports: port === "-" ? {} : { 8080: port },
            }),
          ]),
    ];
    assert.equal(modeOf(policies, 8080), on8080);
    assert.equal(modeOf(policies, 9090), others);
  });
}

test("PA-2 the level is decided by selector and namespace, never by the name", () => {
  const named = policy({ namespace: ROOT, name: "not-called-default", mode: "STRICT" });
  assert.equal(modeOf([named], 1), "STRICT");
});

test("PA-3 a selector must be a subset of the pod's labels, in its own namespace", () => {
  const strict = { mode: "STRICT" } as const;
  assert.equal(
    modeOf([policy({ ...strict, selector: { app: "cart", tier: "web" } })], 1),
    "STRICT",
  );
  assert.equal(modeOf([policy({ ...strict, selector: { app: "cart", x: "y" } })], 1), "PERMISSIVE");
  const elsewhere = policy({ ...strict, namespace: "other", selector: { app: "cart" } });
  assert.equal(modeOf([elsewhere], 1), "PERMISSIVE");
});

test("PA-4 a selector in the root namespace is ignored, even for pods that live there", () => {
  const policies = [policy({ namespace: ROOT, selector: { app: "cart" }, mode: "STRICT" })];
  assert.equal(modeOf(policies, 1), "PERMISSIVE");
  const atHome = composePeerAuthentication(policies, { ...subject, namespace: ROOT });
  assert.equal(atHome.workload.mode, "PERMISSIVE");
});

test("PA-4, PA-7 selectors in the root namespace are ignored, and so none is passed over for another", () => {
  const ignored = { namespace: ROOT, selector: { app: "cart" } };
  const policies = [policy({ ...ignored, name: "a" }), policy({ ...ignored, name: "b" })];
  assert.deepEqual(passedOver(policies, { ...subject, namespace: ROOT }), []);
  assert.deepEqual(passedOver(policies, subject), []);
});

test("PA-5 policies are ordered by age, then name, then namespace", () => {
  const ordered = [
    policy({ name: "z", created: "2020-01-01T00:00:00Z" }),
    policy({ name: "a", created: "2021-01-01T00:00:00Z" }),
    policy({ name: "b", namespace: "a", created: "2021-01-01T00:00:00Z" }),
    policy({ name: "b", namespace: "b", created: "2021-01-01T00:00:00Z" }),
  ];
  assert.deepEqual([...ordered].reverse().sort(byAge), ordered);
});

const ages: [what: string, older: string | undefined, younger: string][] = [
  ["a second", "2020-01-01T00:00:00Z", "2020-01-01T00:00:01Z"],
  ["another zone", "2020-01-01T01:00:00+02:00", "2020-01-01T00:00:00Z"],
  ["parts of a second", "2020-01-01T00:00:00.001Z", "2020-01-01T00:00:00.002Z"],
  ["before 1970", "1960-01-01T00:00:00Z", "1970-01-01T00:00:00Z"],
  ["none is oldest", undefined, "1960-01-01T00:00:00Z"],
];
for (const [what, older, younger] of ages) {
  test(`PA-5 the older counts: ${what}`, () => {
    const old = policy({ name: "b", mode: "STRICT", ...(older && { created: older }) });
    const young = policy({ name: "a", mode: "DISABLE", created: younger });
    assert.ok(byAge(old, young) < 0 && byAge(young, old) > 0);
    assert.equal(modeOf([young, old], 1), "STRICT");
  });
}

test("PA-2..PA-6 what applies: all that select, the oldest of each level above, each scope by age", () => {
  const selector = { app: "cart" };
  const policies = [
    policy({ name: "w2", selector, created: "2022-01-01T00:00:00Z" }),
    policy({ name: "w1", selector, created: "2020-01-01T00:00:00Z" }),
    policy({ name: "n2", created: "2023-01-01T00:00:00Z" }),
    policy({ name: "n1", created: "2021-01-01T00:00:00Z" }),
    policy({ name: "m2", namespace: ROOT, created: "2021-01-01T00:00:00Z" }),
    policy({ name: "m1", namespace: ROOT, created: "2020-01-01T00:00:00Z" }),
    policy({ name: "root-with-selector", namespace: ROOT, selector }),
    policy({ name: "other-pod", selector: { app: "other" } }),
    policy({ name: "elsewhere", namespace: "other", selector }),
  ];
  const namesFor = (who: typeof subject): readonly string[] =>
    applyingPeerAuthentications(policies, who).map(({ meta }) => meta.name);
  assert.deepEqual(namesFor(subject), ["w1", "n1", "w2", "m1"]);
  assert.deepEqual(namesFor({ ...subject, namespace: ROOT }), ["m1"]);
});

for (const [level, parts] of [
  ["PA-6 mesh", { namespace: ROOT }],
  ["PA-6 namespace", {}],
  ["PA-7 workload", { selector: { app: "cart" } }],
] as const) {
  test(`${level} level: the oldest counts, the others are dropped as a whole`, () => {
    const old = policy({ ...parts, name: "b", mode: "UNSET", created: "2020-01-01T00:00:00Z" });
    const young = policy({ ...parts, name: "a", mode: "STRICT", created: "2021-01-01T00:00:00Z" });
    assert.equal(modeOf([young, old], 1), "PERMISSIVE");
  });
  test(`${level} level: of equal age, the first by name counts`, () => {
    const created = "2020-01-01T00:00:00Z";
    const first = policy({ ...parts, name: "a", mode: "STRICT", created });
    const second = policy({ ...parts, name: "b", mode: "DISABLE", created });
    assert.equal(modeOf([second, first], 1), "STRICT");
  });
}

test("PA-8 port modes of a losing workload policy are not merged into the winner", () => {
  const selector = { app: "cart" };
  const winner = policy({ name: "a", selector, mode: "STRICT", ports: { 1: "DISABLE" } });
  const loser = policy({ name: "b", selector, mode: "UNSET", ports: { 2: "DISABLE" } });
  assert.equal(modeOf([loser, winner], 1), "DISABLE");
  assert.equal(modeOf([loser, winner], 2), "STRICT");
});

test("PA-13 the namespace's mode never sees workload or port levels", () => {
  const policies = [
    policy({ namespace: ROOT, mode: "STRICT" }),
    policy({ name: "n", mode: "UNSET" }),
    policy({ name: "w", selector: { app: "cart" }, mode: "DISABLE" }),
  ];
  assert.equal(namespaceMutualTls(policies, subject).mode, "STRICT");
});

test("PA-14 ports of a policy without selector are ignored, its mode is not", () => {
  const policies = [policy({ mode: "STRICT", ports: { 8080: "DISABLE" } })];
  assert.equal(modeOf(policies, 8080), "STRICT");
});

test("a mode carries the resource that set it, or says that none did", () => {
  const policies = [
    policy({ namespace: ROOT, name: "mesh", mode: "STRICT" }),
    policy({ name: "w", selector: { app: "cart" }, ports: { 1: "DISABLE", 2: "UNSET" } }),
  ];
  const composed = composePeerAuthentication(policies, subject);
  const nameOn = (port: number): string => {
    const { origin } = mutualTlsOfPort(composed, port);
    return origin === "default" ? origin : origin.ref.name;
  };
  assert.deepEqual([nameOn(1), nameOn(2), nameOn(3)], ["w", "mesh", "mesh"]);
  assert.equal(composePeerAuthentication([], subject).workload.origin, "default");
});

test("law: the narrowest policy that says anything wins (PA-10, PA-11)", () => {
  const mode = fc.constantFrom(...MUTUAL_TLS_MODES);
  fc.assert(
    fc.property(fc.tuple(mode, mode, mode, mode), ([mesh, namespace, workload, port]) => {
      const policies = [
        policy({ name: "w", selector: { app: "cart" }, mode: workload, ports: { 1: port } }),
        policy({ namespace: ROOT, mode: mesh }),
        policy({ name: "n", mode: namespace }),
      ];
      const narrowest = [port, workload, namespace, mesh].find((each) => each !== "UNSET");
      assert.equal(modeOf(policies, 1), narrowest ?? "PERMISSIVE");
    }),
  );
});

test("law: the order in which policies are given never matters", () => {
  const parts = fc.record({
    namespace: fc.constantFrom("shop", ROOT, "other"),
    name: fc.constantFrom("a", "b", "c"),
    mode: fc.constantFrom(...MUTUAL_TLS_MODES),
    selector: fc.constantFrom({}, { app: "cart" }, { tier: "web" }),
    created: fc.constantFrom("2020-01-01T00:00:00Z", "2021-01-01T00:00:00Z"),
  });
  const distinct = fc.uniqueArray(parts, {
    selector: ({ namespace, name }) => `${namespace}/${name}`,
  });
  fc.assert(
    fc.property(distinct, (given) => {
      const policies = given.map(policy);
      const composed = composePeerAuthentication(policies, subject);
      assert.deepEqual(composePeerAuthentication([...policies].reverse(), subject), composed);
    }),
  );
});

test("a parsed resource composes as one made by hand", () => {
  const [parsed] = resourcesOf(`
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: w, namespace: shop}
spec:
  selector: {matchLabels: {app: cart}}
  mtls: {mode: STRICT}
  portLevelMtls: {8080: {mode: DISABLE}}
`);
  assert.ok(parsed?.kind === "PeerAuthentication");
  assert.deepEqual([modeOf([parsed], 8080), modeOf([parsed], 1)], ["DISABLE", "STRICT"]);
});
