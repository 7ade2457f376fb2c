import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { type CaseOutcome, runCase } from "../suite-runner.ts";
import { securityE2e } from "./security-e2e.ts";

const folder = mkdtempSync(join(tmpdir(), "hauberk-e2e-"));
after(() => rmSync(folder, { recursive: true }));

const pod = (name: string, sidecar: boolean, address: string): object => ({
  serviceAccount: name,
  sidecar,
  headless: false,
  statefulSet: false,
  podIP: { shop: address },
  labels: { app: name },
});
const secure = { name: "https", servicePort: 443, workloadPort: 8443, protocol: "HTTPS" };
const topology = {
  namespaces: { shop: { injected: true } },
  workloads: {
    caller: pod("caller", true, "10.1.0.1"),
    api: pod("api", true, "10.1.0.2"),
    bare: pod("bare", false, "10.1.0.3"),
  },
  ports: [secure],
};
mkdirSync(join(folder, "fixtures"));
writeFileSync(join(folder, "fixtures/topology.json"), JSON.stringify(topology));
writeFileSync(join(folder, "fixtures/tokens.json"), JSON.stringify({ tokens: {} }));
const insists = {
  apiVersion: "networking.istio.io/v1",
  kind: "DestinationRule",
  metadata: { name: "one", namespace: "shop" },
  spec: { host: "*.local", trafficPolicy: { tls: { mode: "ISTIO_MUTUAL" } } },
};
writeFileSync(join(folder, "rule.yaml"), JSON.stringify(insists));

interface Varied {
  readonly setup?: object;
  readonly to?: object;
  readonly expected: object;
}

function run({ setup = {}, to, expected }: Varied): Promise<CaseOutcome> {
  return runCase(securityE2e["ca-and-identity"], {
    folder,
    test: {
      name: "case",
      policies: [],
      renderedPolicies: "rule.yaml",
      setup,
      from: { ns: "shop", workload: "caller", sa: "caller", sidecar: true },
      to: { ns: "shop", workload: "api", port: { name: "https", protocol: "HTTPS" }, ...to },
      expected,
    },
  });
}

const bare = (serverCertificate: string): Pick<Varied, "to"> => ({
  to: { workload: "bare", sidecar: false, serverCertificate, port: secure },
});
const ALIAS = { meshConfig: { trustDomainAliases: ["elsewhere"] } };
const through = { success: true };
const refused = { success: false, check: "any error or status other than 200" };
const bareIn = (domain: string): string => `URI SAN spiffe://${domain}/ns/shop/sa/bare`;

const CASES: Readonly<Record<string, Varied>> = {
  "CA-50: lists that name nobody": {
    setup: { ca: "plugin CA; a CRL lies beside it" },
    expected: through,
  },
  "CA-50: a list that names the intermediate": {
    setup: { ca: "plugin CA; its CRL says that the intermediate is revoked" },
    expected: refused,
  },
  "CA-19: the key is of an elliptic curve": {
    expected: { ...through, serverCertificatePublicKeyAlgorithm: "ECDSA" },
  },
  "TLS-34: a server without sidecar, as the account that it runs as": {
    ...bare(bareIn("cluster.local")),
    expected: through,
  },
  "TLS-34: in another trust domain": { ...bare(bareIn("elsewhere")), expected: refused },
  "TLS-34, CA-55: in an alias": { ...bare(bareIn("elsewhere")), setup: ALIAS, expected: through },
  "TLS-34: as another account": {
    ...bare("URI SAN spiffe://cluster.local/ns/shop/sa/api"),
    expected: refused,
  },
  "several that are all refused": {
    ...bare(`${bareIn("elsewhere")}, or (${bareIn("nowhere")}); neither is taken`),
    expected: refused,
  },
};
for (const [what, varied] of Object.entries(CASES)) {
  test(`passes: ${what}`, async () => {
    assert.deepEqual(await run(varied), { outcome: "passed" });
    const { success } = varied.expected as { readonly success: boolean };
    const opposite = await run({ ...varied, expected: { success: !success } });
    assert.equal(opposite.outcome, "failed", "and no other outcome");
  });
}

test("fails when the key is of another kind", async () => {
  const expected = { ...through, serverCertificatePublicKeyAlgorithm: "RSA" };
  assert.equal((await run({ expected })).outcome, "failed");
});

const SKIPPED: readonly (readonly [Varied, RegExp])[] = [
  [{ setup: { ca: "an authority with a CRL" }, expected: through }, /setup\.ca an authority/],
  [{ setup: { proxyMetadata: { ECC_CURVE: "P384" } }, expected: through }, /ECC_CURVE/],
  [{ ...bare("of nobody"), expected: through }, /to\.serverCertificate of nobody/],
  [
    { ...bare(`${bareIn("cluster.local")} or ${bareIn("elsewhere")}`), expected: through },
    /several identities that differ/,
  ],
];
for (const [varied, reason] of SKIPPED) {
  test(`what is not understood is skipped by name: ${reason.source}`, async () => {
    const outcome = await run(varied);
    assert.equal(outcome.outcome, "skipped");
    assert.match(outcome.outcome === "skipped" ? outcome.reason : "", reason);
  });
}
