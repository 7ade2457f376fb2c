import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { readResourceFiles } from "../../control/resource-files.ts";
import { copyExample, EXAMPLES, findExample, UnknownExampleError } from "./example.ts";

let to: string;
before(async () => {
  to = join(await mkdtemp(join(tmpdir(), "hauberk-")), "mesh-files");
});
after(() => rm(join(to, ".."), { recursive: true }));

test("the example of the main job has at least twenty rows", () => {
  assert.ok(findExample("production").rows.length >= 20);
});

for (const { name } of EXAMPLES) {
  describe(name, () => {
    test("its copy is read without an issue, and holds no broken part", async () => {
      await copyExample({ name }, { to });
      const { issues, resources } = await readResourceFiles([to]);
      assert.deepEqual(issues, []);
      assert.ok(resources.length > 5);
      assert.ok(existsSync(join(to, "programs")));
      assert.ok(!existsSync(join(to, "break")));
    });

    for (const broken of ["authorization", "tls", "identity", "attribution"]) {
      test(`with ${broken} broken, its copy differs and is read without an issue`, async () => {
        await copyExample({ name }, { to });
        const whole = JSON.stringify((await readResourceFiles([to])).resources);
        await copyExample({ name }, { to, broken });
        const { issues, resources } = await readResourceFiles([to]);
        assert.deepEqual(issues, []);
        assert.notEqual(JSON.stringify(resources), whole);
      });
    }
  });
}

test("a copy takes the place of what was there", async () => {
  await copyExample({ name: "production" }, { to });
  await writeFile(join(to, "left-over.yaml"), "kind: Nonsense");
  await copyExample({ name: "production" }, { to });
  assert.ok(!existsSync(join(to, "left-over.yaml")));
  assert.match(await readFile(join(to, "peer-authentication.yaml"), "utf8"), /STRICT/);
});

test("an unknown example, and an unknown part, are refused by name; what was there stays", async () => {
  assert.throws(
    () => findExample("nowhere"),
    (error) =>
      error instanceof UnknownExampleError && /production, first-verdict/.test(error.message),
  );
  await copyExample({ name: "production" }, { to });
  await assert.rejects(
    copyExample({ name: "production" }, { to, broken: "luck" }),
    (error) =>
      error instanceof UnknownExampleError &&
      /attribution, authorization, identity, tls/.test(error.message),
  );
  assert.ok(existsSync(join(to, "authorization.yaml")));
});
