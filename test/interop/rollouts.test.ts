/** kubectl rollout and kubectl events against a mesh that runs. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { eventually } from "../kit/eventually.ts";
import { KubectlMesh } from "../kit/kubectl-mesh.ts";
import { missingParts } from "../kit/missing-parts.ts";
import { until } from "../kit/until.ts";

const skip = missingParts("kubectl");
const ECHO = "echo $VERSION";

interface ListedEvent {
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  readonly count: number;
  readonly involvedObject: { readonly kind: string; readonly name: string };
}

describe("rollouts, and what is told of them", { skip }, () => {
  let mesh: KubectlMesh;

  before(async () => {
    mesh = await KubectlMesh.start({ files: "test/meshes/rollouts", namespace: "shop" });
  });
  after(() => mesh?.stop());

  const run = (...parameters: string[]): Promise<string> => mesh.run(...parameters);
  const setVersion = (version: string): Promise<string> =>
    run("set", "env", "deploy/api", `VERSION=${version}`);
  const rolledOut = (what = "deploy/api"): Promise<string> =>
    run("rollout", "status", what, "--timeout=60s");
  /** As the pods themselves say. */
  const versions = async (): Promise<readonly string[]> => {
    const names = (await run("get", "pods", "-l", "app=api", "-o", "name")).trim().split("\n");
    const said = await Promise.all(
      names.map((name) => mesh.ask("exec", name, "--", "sh", "-c", ECHO)),
    );
    // One that is on its way in, or out, is not there to be asked.
    return said.flatMap(({ code, output }) => (code === 0 ? output.toString("utf8").trim() : []));
  };
  const revisions = async (): Promise<readonly string[]> =>
    [...(await run("rollout", "history", "deploy/api")).matchAll(/^(\d+)\s/gm)].map(
      ([, number = ""]) => number,
    );
  const events = async (): Promise<readonly ListedEvent[]> =>
    JSON.parse(await run("get", "events", "-o", "json")).items;
  const lines = (listed: readonly ListedEvent[]): readonly string[] =>
    listed.map(
      ({ type, reason, involvedObject: { kind, name }, message }) =>
        `${type} ${reason} ${kind}/${name}: ${message}`,
    );

  test("status tells the steps while they are taken, and history keeps each revision", async () => {
    assert.deepEqual(await revisions(), ["1"]);
    await setVersion("two");
    const said = await rolledOut();
    assert.match(
      said,
      /^Waiting for deployment "api" rollout to finish: .* (updated|termination)/m,
    );
    assert.match(said, /deployment "api" successfully rolled out\n$/);
    assert.deepEqual(await revisions(), ["1", "2"]);
    assert.match(await run("rollout", "history", "deploy/api", "--revision=1"), /VERSION:\s+one/);
    assert.deepEqual(await versions(), ["two", "two"]);
  });

  test("undo brings back the pods of the revision before", async () => {
    assert.match(await run("rollout", "undo", "deploy/api"), /rolled back/);
    await rolledOut();
    assert.deepEqual(await versions(), ["one", "one"]);
    assert.deepEqual(await revisions(), ["2", "3"]);
    await run("rollout", "undo", "deploy/api", "--to-revision=2");
    await rolledOut();
    assert.deepEqual(await versions(), ["two", "two"]);
    assert.match(await run("rollout", "undo", "deploy/api", "--to-revision=4"), /skipped rollback/);
  });

  test("a rollout that is paused changes no pod until it is resumed", async () => {
    await run("rollout", "pause", "deploy/api");
    await setVersion("three");
    await run("scale", "deploy/api", "--replicas=3"); // which is no rollout
    await until("three pods", async () => (await versions()).length === 3);
    assert.deepEqual(new Set(await versions()), new Set(["two"]));
    await run("rollout", "resume", "deploy/api");
    await rolledOut();
    assert.deepEqual(await versions(), ["three", "three", "three"]);
  });

  test("what does not come up is told by status, and leaves the others", async () => {
    const change = {
      spec: {
        progressDeadlineSeconds: 2,
        template: {
          spec: {
            containers: [{ name: "app", readinessProbe: { exec: { command: ["false"] } } }],
          },
        },
      },
    };
    await run("patch", "deploy/api", "-p", JSON.stringify(change));
    const status = ["rollout", "status", "deploy/api", "--timeout=60s"];
    const { code, errors } = await mesh.ask(...status);
    assert.equal(code, 1);
    assert.match(errors, /deployment "api" exceeded its progress deadline/);
    const unhealthy = await until("the probe's finding", async () =>
      lines(await events()).find((line) => line.includes("Unhealthy")),
    );
    assert.match(unhealthy, /^Warning Unhealthy Pod\/api-\S+: Readiness probe failed: false ended/);
    await run("rollout", "undo", "deploy/api");
    await rolledOut();
  });

  test("pods of a StatefulSet are replaced one by one, the highest first", async () => {
    const uids = async (): Promise<ReadonlyMap<string, string>> => {
      const path = '{range .items[*]}{.metadata.name} {.metadata.uid} {.status.phase}{"\\n"}{end}';
      const said = await run("get", "pods", "-l", "app=db", "-o", `jsonpath=${path}`);
      return new Map(
        said
          .trim()
          .split("\n")
          .map((line): [string, string] => {
            const [name = "", uid = ""] = line.split(" ");
            return [name, uid];
          }),
      );
    };
    const first = await uids();
    assert.deepEqual([...first.keys()], ["db-0", "db-1", "db-2"]);
    await run("rollout", "restart", "sts/db");
    const seen = new Set<string>();
    await until("three new ones", async () => {
      const now = await uids();
      const old = [...first].filter(([name, uid]) => now.get(name) === uid).map(([name]) => name);
      seen.add(old.join(" "));
      return now.size === 3 && old.length === 0;
    });
    for (const states of seen)
      assert.ok(["db-0 db-1 db-2", "db-0 db-1", "db-0", ""].includes(states));
    assert.ok(seen.has("db-0 db-1") && seen.has("db-0"), [...seen].join("; "));
    assert.match(await rolledOut("sts/db"), /3 new pods have been updated/);
  });

  test("events tell what happened, of the pod also where it is described", async () => {
    const told = lines(await events());
    for (const expected of [
      /^Normal ScalingReplicaSet Deployment\/api: Scaled up replica set api-\w+ from 0 to 2$/,
      /^Normal ScalingReplicaSet Deployment\/api: Scaled down replica set api-\w+ from 2 to \d$/,
      /^Normal SuccessfulCreate StatefulSet\/db: create Pod db-2 in StatefulSet db successful$/,
      /^Normal Scheduled Pod\/db-2: Successfully assigned shop\/db-2 to /,
      /^Normal Killing Pod\/db-2: Stopping container app$/,
    ])
      assert.ok(
        told.some((line) => expected.test(line)),
        `${expected} in\n${told.join("\n")}`,
      );
    const described = await run("describe", "pod", "db-2");
    assert.match(described, /Events:[\s\S]*Normal +Started +\S+ +kubelet +Started container app/);
    assert.match(await run("get", "events.events.k8s.io"), /Started container app/);
    assert.match(await run("events", "--for", "pod/db-2"), /Started container app/);
  });

  test("what ends again and again is one event that is counted", async () => {
    const change = {
      spec: {
        template: { spec: { containers: [{ name: "app", command: ["sh", "-c", "exit 3"] }] } },
      },
    };
    await run("patch", "sts/db", "-p", JSON.stringify(change));
    const ends = async (): Promise<readonly ListedEvent[]> =>
      (await events()).filter(
        ({ reason, involvedObject: { name } }) => reason === "BackOff" && name === "db-2",
      );
    await until("several ends", async () => (await ends()).some(({ count }) => count > 2));
    assert.equal((await ends()).length, 1);
    await run("delete", "sts/db");
  });

  test("files that are refused are told among the events of the control plane", async () => {
    await mesh.edit((text) => text.replace("replicas: 2", "replicas: many"));
    await eventually(
      () => "the refusal",
      async () => {
        const { output } = await mesh.ask("get", "events", "-n", "istio-system");
        return /Warning\s+ChangeRefused\s+deployment\/istiod\s.*replicas/.test(output.toString());
      },
    );
  });

  test("a namespace goes with its events", async () => {
    await run("delete", "namespace", "shop", "--timeout=60s");
    const { output } = await mesh.ask("get", "events", "-A", "-o", "name");
    assert.doesNotMatch(output.toString(), /api-|db-/);
  });
});
