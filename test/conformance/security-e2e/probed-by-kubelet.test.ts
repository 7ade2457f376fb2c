import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { type CaseOutcome, runCase } from "../suite-runner.ts";
import { securityE2e } from "./security-e2e.ts";

const folder = mkdtempSync(join(tmpdir(), "hauberk-probed-"));
after(() => rmSync(folder, { recursive: true }));
mkdirSync(join(folder, "fixtures"));
writeFileSync(join(folder, "fixtures/topology.json"), JSON.stringify({ namespaces: { shop: {} } }));

/** Selects the pod in the namespace that the rendering put in place of the test's own. */
const peerAuthentication = (mode: string): object => ({
  apiVersion: "security.istio.io/v1",
  kind: "PeerAuthentication",
  metadata: { name: "one", namespace: "shop" },
  spec: { selector: { matchLabels: { app: "api" } }, mtls: { mode } },
});
for (const mode of ["STRICT", "PERMISSIVE"]) {
  writeFileSync(join(folder, `${mode}.yaml`), JSON.stringify(peerAuthentication(mode)));
}

interface Varied {
  readonly mode?: "STRICT" | "PERMISSIVE";
  readonly rewriting?: string;
  readonly from?: object;
  readonly expected: object;
}

function run({ mode = "STRICT", rewriting, from, expected }: Varied): Promise<CaseOutcome> {
  const podAnnotations =
    rewriting === undefined ? {} : { "sidecar.istio.io/rewriteAppHTTPProbers": rewriting };
  return runCase(securityE2e["ca-and-identity"], {
    folder,
    test: {
      name: "case",
      setup: { podAnnotations },
      policies: [],
      renderedPolicies: `${mode}.yaml`,
      from: { kubelet: true, note: "plaintext HTTP readiness probe", ...from },
      to: { ns: "elsewhere", workload: "api", port: { name: "http-1", workloadPort: 8080 } },
      expected,
    },
  });
}

const CASES: readonly (readonly [Omit<Varied, "expected">, boolean])[] = [
  [{}, true],
  [{ rewriting: "true" }, true],
  [{ rewriting: "false" }, false],
  [{ rewriting: "false", mode: "PERMISSIVE" }, true],
];
for (const [varied, podBecomesReady] of CASES) {
  test(`INJ-27 ${JSON.stringify(varied)}: ready ${podBecomesReady}, and nothing else passes`, async () => {
    const outcome = await run({ ...varied, expected: { podBecomesReady } });
    assert.deepEqual(outcome, { outcome: "passed" });
    const opposite = await run({ ...varied, expected: { podBecomesReady: !podBecomesReady } });
    assert.equal(opposite.outcome, "failed");
  });
}

test("what is not understood is skipped, and nothing expected is nothing shown", async () => {
  for (const varied of [
    { expected: {} },
    { expected: { podBecomesReady: true, restarts: 1 } },
    { from: { note: "probe by gRPC" }, expected: { podBecomesReady: true } },
    { from: { sail: "set" }, expected: { podBecomesReady: true } },
  ]) {
    assert.equal((await run(varied)).outcome, "skipped");
  }
});
