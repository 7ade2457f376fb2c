import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { DEFAULT_INTERCEPTION } from "../../api/interception-settings.ts";
import { type Exemption, type PodRulesInput, podRules } from "./pod-rules.ts";
import { routerRules } from "./router-rules.ts";

const policy = {
  kind: "NetworkPolicy",
  namespace: "production",
  name: "api-from-frontend",
} as const;
const TYPICAL: PodRulesInput = {
  sidecar: "present",
  interception: { ...DEFAULT_INTERCEPTION, excludedOutboundPorts: [5432] },
  exemption: { by: "mark", mark: 1337 },
  addresses: { ipv4: "10.244.0.2", ipv6: "fd00:10:244::2" },
  controlPlane: { address: "10.244.0.1", port: 15_012 },
  adminPort: 15_000,
  services: [
    {
      addresses: ["10.96.0.2", "fd00:10:96::2"],
      port: 5432,
      endpoints: [
        { address: "10.244.0.3", port: 5432 },
        { address: "10.244.0.4", port: 5432 },
        { address: "fd00:10:244::3", port: 5432 },
      ],
    },
  ],
  networkRules: {
    ingress: [
      {
        policy,
        peers: [{ address: "10.244.0.5" }, { address: "fd00:10:244::5" }],
        ports: [{ protocol: "TCP", from: 8080, to: 8080 }],
      },
    ],
    egress: [{ policy, peers: [{ cidr: "0.0.0.0/0", except: ["169.254.0.0/16"] }], ports: "all" }],
  },
};

/** `UPDATE_GOLDEN=1` writes them anew. */
function assertGolden(name: string, text: string): void {
  const file = `src/local/network/golden/${name}.nft`;
  if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(file, text);
  assert.equal(text, readFileSync(file, "utf8"));
}

const modes: [name: string, exemption: Exemption][] = [
  ["pod-by-mark", { by: "mark", mark: 1337 }],
  ["pod-by-uid", { by: "uid", uid: 1337 }],
];
for (const [name, exemption] of modes) {
  test(`a typical pod's rules: ${name}`, () =>
    assertGolden(name, podRules({ ...TYPICAL, exemption })));
}

test("the router's rules", () => assertGolden("router", routerRules()));

test("a pod without sidecar has nothing of interception, and everything else", () => {
  const text = podRules({ ...TYPICAL, sidecar: "absent" });
  assert.doesNotMatch(text, /redirect|mark|skuid|15000/);
  for (const chain of ["ingress", "egress", "services", "service-ends", "source"]) {
    assert.ok(text.includes(`  chain ${chain} {`), chain);
  }
});

test("a pod speaks in no name but its own", () => {
  const text = podRules(TYPICAL);
  const [, chain = ""] = /chain source \{([\s\S]*?)\n {2}\}/.exec(text) ?? [];
  assert.match(
    chain,
    /ip saddr 10\.244\.0\.2 accept\n\s*ip6 saddr \{ ::, fd00:10:244::2 \} accept\n\s*drop/,
  );
});

test("one address that is none, and no rules are written", () => {
  const services = [{ addresses: ["10.96.0.2 accept"], port: 80, endpoints: [] }];
  assert.throws(() => podRules({ ...TYPICAL, services }), { code: "HAUBERK_FABRIC" });
});
