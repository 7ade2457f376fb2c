/** Open Policy Agent in pods of its own: volumes mounted where the manifests say, and as many replicas as they ask for. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { MeshInNamespaces, namespacesMissing } from "../../kit/mesh-in-namespaces.ts";
import { missingParts } from "../../kit/missing-parts.ts";
import { opaInPath } from "../../kit/opa-program.ts";
import { isFailure, outcomesBetween, type RequestOutcome } from "../../kit/steady-load.ts";
import { until } from "../../kit/until.ts";

const skip = missingParts("go") || namespacesMissing();
const SEEDS = [
  "13-opa.yaml",
  "14-mesh-config-extension-provider.yaml",
  "15-opa-custom-policy.yaml",
];
const BACK_WITHIN_MS = 2_000;
const GUARDED = "/api/orders";
const OPAS = ["opa-authorizer-0", "opa-authorizer-1"];

describe("the article's OPA with networks of their own", { skip }, () => {
  let mesh: MeshInNamespaces;

  before(async () => {
    const opa = await opaInPath();
    const written = await Promise.all(
      SEEDS.map(async (seed) => [seed, await readFile(join("examples/seeds", seed), "utf8")]),
    );
    const images = await readFile("test/meshes/article/images.yaml", "utf8");
    mesh = await MeshInNamespaces.start({
      folders: ["test/meshes/article", dirname(opa)],
      texts: {
        ...Object.fromEntries(written),
        "13-opa.yaml": (written[0]?.[1] ?? "").replace(") == [h, m, s]", ") = [h, m, s]"),
        "images.yaml": images.replace('["opa"]', '["./opa"]'),
      },
    });
  });
  after(() => mesh?.remove());

  const outcomes = async (span: { from: number; to: number }): Promise<readonly RequestOutcome[]> =>
    (await outcomesBetween(join(mesh.data, "logs/production/frontend-0/load.log"), span)).filter(
      ({ method }) => method === GUARDED,
    );

  const opaLog = (pod: string): Promise<string> => mesh.read(`logs/istio-system/${pod}/opa.log`);
  const answers = async (pod: string): Promise<number> =>
    (await opaLog(pod)).split('"Decision Log"').length - 1;

  test("both replicas are asked, each on :9191 of its own pod, with /policies as it is written", async () => {
    for (const pod of OPAS) {
      await until(`an answer of ${pod}`, async () => (await answers(pod)) > 0);
      assert.equal((await opaLog(pod)).includes("/volumes/"), false);
    }
    assert.equal(mesh.said.includes("replicas runs"), false);
    assert.equal(mesh.said.includes("/policies is"), false);
    await until("a guarded request to be served", async () =>
      (await outcomes({ from: 0, to: Date.now() })).some((outcome) => !isFailure(outcome)),
    );
  });

  test("one is killed under load: the other answers, and nothing passes without a word", async (context) => {
    const killed = Date.now();
    process.kill((await mesh.process("istio-system/opa-authorizer-0 opa")).processId, "SIGKILL");
    await delay(3_000);
    const to = Date.now() - 500;
    const failed = (await outcomes({ from: killed, to })).filter(isFailure);
    const last = failed.at(-1);
    const lastMs = last === undefined ? 0 : last.sentAt + last.ms - killed;
    context.diagnostic(`${failed.length} refused, the last ${lastMs} ms after the kill`);
    assert.ok(lastMs < BACK_WITHIN_MS);
    assert.ok(failed.every(({ status }) => status === 403));
    await assertOnlyAllowedServed();
  });

  test("both are killed: refused until one is back, within 2 s", async (context) => {
    const killed = Date.now();
    for (const pod of OPAS)
      process.kill((await mesh.process(`istio-system/${pod} opa`)).processId, "SIGKILL");
    await delay(3_000);
    const all = await outcomes({ from: killed + 100, to: Date.now() - 500 });
    const refused = all.filter(isFailure);
    assert.ok(refused.length > 0 && refused.every(({ status }) => status === 403));
    const last = refused.at(-1);
    const backMs = last === undefined ? 0 : last.sentAt + last.ms - killed;
    context.diagnostic(`${refused.length} refused, the last ${backMs} ms after the kill`);
    assert.ok(backMs < BACK_WITHIN_MS);
    await assertOnlyAllowedServed();
  });

  /** By the logs of decisions, which are written before the answer. */
  async function assertOnlyAllowedServed(): Promise<void> {
    const asked = (await Promise.all(OPAS.map(opaLog))).join("\n");
    const allowed = asked.split("\n").filter((line) => line.includes('"result":true'));
    const granted = new Set(
      allowed.map((line) => /"path":"\/api\/orders\?(\d+)"/.exec(line)?.[1] ?? ""),
    );
    const served = await mesh.read("logs/production/api-service-0/server.log");
    const numbers = [...served.matchAll(/^GET \/api\/orders\?(\d+)$/gm)].map(([, n = ""]) => n);
    assert.ok(numbers.length > 20);
    assert.deepEqual(
      numbers.filter((number) => !granted.has(number)),
      [],
    );
  }
});
