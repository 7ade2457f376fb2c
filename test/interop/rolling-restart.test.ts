/** A Deployment that is restarted under load, by kubectl: nobody who calls it notices. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { KubectlMesh } from "../kit/kubectl-mesh.ts";
import { missingParts } from "../kit/missing-parts.ts";
import { until } from "../kit/until.ts";

const skip = missingParts("kubectl");
const RATE = 500;
const RESTARTS = 3;

interface Tally {
  readonly sent: number;
  readonly answered: number;
  readonly failures: Readonly<Record<string, number>>;
}

const failed = ({ failures }: Tally): number =>
  Object.values(failures).reduce((sum, one) => sum + one, 0);

describe("rolling restarts", { skip }, () => {
  let mesh: KubectlMesh;

  before(async () => {
    mesh = await KubectlMesh.start({
      files: "test/meshes/kubectl",
      namespace: "shop",
      edit: (text) => text.replace('value: "100"', `value: "${RATE}"`),
    });
  });
  after(() => mesh?.stop());

  const run = (...parameters: string[]): Promise<string> => mesh.run(...parameters);
  const tally = async (): Promise<Tally | undefined> => {
    const text = (await run("logs", "--tail=1", "deploy/caller")).trim();
    return text === "" ? undefined : (JSON.parse(text) as Tally);
  };
  /** Once a second's calls went well: what is called before it listens is answered by 503. */
  const untilServed = async (): Promise<Tally> => {
    let wellSince: Tally | undefined;
    return until("a second of calls without failure", async () => {
      const now = await tally();
      if (now === undefined || wellSince === undefined || failed(now) > failed(wellSince))
        wellSince = now;
      return (
        now !== undefined && wellSince !== undefined && now.sent > wellSince.sent + RATE && now
      );
    });
  };
  const podNames = async (): Promise<string[]> => {
    const names = await run("get", "pods", "-l", "app=callee", "-o", "name");
    return names.trim().split("\n").sort();
  };

  test(`${RATE} requests a second, ${RESTARTS} restarts of two replicas: none fails`, async () => {
    const first = await untilServed();
    for (let turn = 1; turn <= RESTARTS; turn++) {
      const before = await podNames();
      await run("rollout", "restart", "deploy/callee");
      assert.match(
        await run("rollout", "status", "deploy/callee", "--timeout=60s"),
        /deployment "callee" successfully rolled out/,
      );
      const now = await until("the new pods alone", async () => {
        const names = await podNames();
        return names.length === 2 && names;
      });
      assert.ok(!now.some((name) => before.includes(name)), now.join(", "));
    }
    const last = await until("calls after all that", async () => {
      const now = await tally();
      return now !== undefined && now.sent > first.sent + RESTARTS * RATE && now;
    });
    assert.deepEqual(last.failures, first.failures);
    assert.ok(last.answered > last.sent - RATE, JSON.stringify(last));
  });

  test("a dry run takes nothing away from whoever runs", async () => {
    const before = await podNames();
    await run("delete", "deploy/callee", "--dry-run=server");
    await run("annotate", "deploy/callee", "hauberk.test/tried=yes"); // what is planned next leaves it alone
    await run("rollout", "status", "deploy/callee", "--timeout=60s");
    assert.deepEqual(await podNames(), before);
  });

  test("a new pod that never gets ready leaves the old ones as they are, until something else is wished", async () => {
    const probe = (port: number): string =>
      JSON.stringify({
        spec: {
          template: {
            spec: {
              containers: [
                { name: "callee", readinessProbe: { tcpSocket: { port }, periodSeconds: 1 } },
              ],
            },
          },
        },
      });
    const { failures } = await untilServed();
    const before = await podNames();
    await run("patch", "deploy/callee", "-p", probe(9));
    const during = await until("a third pod", async () => {
      const names = await podNames();
      return names.length === 3 && names;
    });
    for (const name of before) assert.ok(during.includes(name), during.join(", "));
    await run("patch", "deploy/callee", "-p", probe(8080));
    await until("two new pods", async () => {
      const names = await podNames();
      return names.length === 2 && !names.some((name) => before.includes(name));
    });
    assert.deepEqual((await tally())?.failures, failures);
  });
});
