/** What kubectl finds in the next mesh of a data directory: revisions and events of the one before. */
import assert from "node:assert/strict";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Kubectl } from "../kit/kubectl-program.ts";
import { missingParts } from "../kit/missing-parts.ts";
import { type RunningMesh, runMesh } from "../kit/running-mesh.ts";

const skip = missingParts("kubectl");
const IN_SHOP = ["-n", "shop"];

describe("the next mesh of a data directory", { skip }, () => {
  let folder: string;
  let data: string;
  let mesh: RunningMesh;
  let kubectl: Kubectl;

  const start = async (): Promise<void> => {
    mesh = await runMesh([folder], data);
    kubectl = await Kubectl.of(data);
  };
  const startAgain = async (): Promise<void> => {
    await mesh.stop();
    await start();
  };
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "hauberk-next-"));
    data = await mkdtemp(join(tmpdir(), "hauberk-next-data-"));
    await cp("test/meshes/rollouts", folder, { recursive: true });
    await start();
  });
  after(async () => {
    await mesh?.stop();
    await rm(folder, { recursive: true, force: true });
    await rm(data, { recursive: true, force: true });
  });

  const run = async (...parameters: string[]): Promise<string> => {
    const { code, output, errors } = await kubectl.run([...parameters, ...IN_SHOP]);
    assert.equal(code, 0, errors);
    return output.toString("utf8");
  };
  const revisions = async (): Promise<readonly string[]> =>
    [...(await run("rollout", "history", "deploy/api")).matchAll(/^(\d+)\s/gm)].map(
      ([, number = ""]) => number,
    );
  /** A variable that the files do not say: what they say counts again whenever a mesh starts. */
  const setting = (): Promise<string> => {
    const path = '{.spec.template.spec.containers[0].env[?(@.name=="SETTING")].value}';
    return run("get", "deploy/api", "-o", `jsonpath=${path}`);
  };

  test("rollout history and undo know the revisions of the one before", async () => {
    await run("set", "env", "deploy/api", "SETTING=mild");
    await run("rollout", "status", "deploy/api", "--timeout=60s");
    assert.deepEqual(await revisions(), ["1", "2"]);
    await startAgain();
    assert.deepEqual(await revisions(), ["1", "2"]);
    assert.equal(await setting(), "mild");
    await run("rollout", "undo", "deploy/api");
    await run("rollout", "status", "deploy/api", "--timeout=60s");
    assert.equal(await setting(), "");
    assert.deepEqual(await revisions(), ["2", "3"]);
    await run("rollout", "undo", "deploy/api", "--to-revision=2");
    await run("rollout", "status", "deploy/api", "--timeout=60s");
  });

  test("events of the one before are there, where a Deployment is described too", async () => {
    await startAgain();
    const scaled = /Scaled up replica set api-\w+ from 0 to \d/;
    assert.match(await run("get", "events"), scaled);
    assert.match(await run("describe", "deploy/api"), scaled);
    assert.match(await run("events", "--for", "deploy/api"), scaled);
    assert.match(await run("get", "events"), /SuccessfulCreate\s+statefulset\/db/);
  });

  test("where the files of the one before are broken all else is as it was", async () => {
    await mesh.stop();
    for (const name of ["events", "identities", "revisions"])
      await writeFile(join(data, "history", `${name}.jsonl`), "{not JSON\n");
    await start();
    assert.deepEqual(await revisions(), ["1"]);
    assert.equal(await setting(), "mild", "what kubectl wrote is kept elsewhere");
    await run("rollout", "status", "deploy/api", "--timeout=60s");
  });
});
