/** `examples/rate-limits` as its README has it: one that asks for ten times what there is leaves the other its share. */
import assert from "node:assert/strict";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { runHauberk } from "../kit/hauberk-command.ts";
import { type RunningMesh, runMesh } from "../kit/running-mesh.ts";
import { until } from "../kit/until.ts";

/** How many of each answer there were, by second. */
type Seconds = readonly ReadonlyMap<string, number>[];

describe("examples/rate-limits", () => {
  let folder: string;
  let mesh: RunningMesh;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "hauberk-limits-"));
    await cp("examples/rate-limits", folder, { recursive: true });
    mesh = await runMesh([folder]);
  });
  after(async () => {
    await mesh?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const seconds = async (name: string): Promise<Seconds> => {
    const text = await mesh.read(`logs/shop/${name}-0/${name}.log`);
    const lines = text.split("\n").filter((line) => line.includes(" x "));
    return lines.map(
      (line) =>
        new Map(
          line.split(", ").map((each) => [each.split(" x ")[1] ?? "", Number.parseInt(each, 10)]),
        ),
    );
  };
  const sum = (found: Seconds, answer: string): number =>
    found.reduce((total, second) => total + (second.get(answer) ?? 0), 0);
  /** What is told from now on, of six seconds. */
  const sixSeconds = async (name: "web" | "batch"): Promise<Seconds> => {
    const begun = (await seconds(name)).length + 1;
    const since = async (): Promise<Seconds> => (await seconds(name)).slice(begun, begun + 6);
    await until(`six seconds of ${name}`, async () => (await since()).length === 6);
    return since();
  };

  test("fair: the modest one gets at least 95 % of what it asks for, the greedy one what is left", async () => {
    await until("a refusal", async () => sum(await seconds("batch"), "429") > 0);
    const [web, batch] = await Promise.all([sixSeconds("web"), sixSeconds("batch")]);
    const [passed, refused] = [sum(web, "200"), sum(web, "429")];
    assert.ok(passed >= 0.95 * (passed + refused), `${passed} of ${passed + refused}`);
    const left = sum(batch, "200");
    assert.ok(left >= 25 * 6, `${left} in six seconds`);
    assert.ok(passed + left <= 50 * 8, `${passed + left} in six seconds`);
  });

  test("explain tells which limit counts a request, and what is left of it for that caller", async () => {
    const ask = async (from: string): Promise<string> => {
      const question = ["--from", `shop/${from}`, "--to", "shop/api:8080", "--request", "GET /"];
      const where = ["-f", folder, "--data", mesh.data];
      return (await runHauberk(["explain", ...question, ...where])).output;
    };
    const limit =
      /limits +limit shared of RateLimit shop\/api \(.*limits\.yaml:11\): 50 requests in 1s/;
    assert.match(await ask("web"), limit);
    assert.match(await ask("web"), /; \d+ left now\n/);
    assert.match(await ask("batch"), /; (\d+ left now|none left now, room again in \d+ ms)\n/);
  });

  test("without fair it is refused most of the time, as soon as the file is saved", async () => {
    const file = join(folder, "limits.yaml");
    const text = await readFile(file, "utf8");
    await writeFile(file, text.replace("    fair: true\n", ""));
    await until("a refusal of web", async () => (await seconds("web")).at(-1)?.has("429") === true);
    const web = await sixSeconds("web");
    const [passed, refused] = [sum(web, "200"), sum(web, "429")];
    assert.ok(passed < 0.5 * (passed + refused), `${passed} of ${passed + refused}`);
  });
});
