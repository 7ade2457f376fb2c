import assert from "node:assert/strict";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Container } from "../../api/container.ts";
import { parseResources } from "../../api/parse-resources.ts";
import type { SourceLocation } from "../../api/resource.ts";
import { MeshPlanError } from "../mesh-plan.ts";
import { checkLaunches, type PlannedLaunch } from "./check-launches.ts";
import { NoCommandError } from "./container-launch.ts";

let folder = "";
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "hauberk-launches-"));
  await writeFile(join(folder, "here"), "#!/bin/sh\n");
  await chmod(join(folder, "here"), 0o755);
  await writeFile(join(folder, "text"), "no program\n");
});
after(() => rm(folder, { recursive: true }));

function containerOf(image: string): Container {
  const text = `apiVersion: apps/v1
kind: Deployment
metadata: {name: cart, namespace: shop}
spec:
  selector: {matchLabels: {app: cart}}
  template:
    metadata: {labels: {app: cart}}
    spec:
      containers:
      - {name: cart, image: "${image}"}
`;
  const [deployment] = parseResources(text, "shop.yaml").resources;
  assert.ok(deployment?.kind === "Deployment");
  const [container] = deployment.template.containers;
  assert.ok(container);
  return container;
}

const MAPPED: SourceLocation = { file: "images.yaml", line: 7 };

function launching(
  program: string,
  { mappedAt, cwd = folder }: { mappedAt?: SourceLocation; cwd?: string } = {},
): PlannedLaunch {
  return {
    container: containerOf("opa:1"),
    launch: () => ({
      command: [program],
      ...(mappedAt && { mappedAt }),
      environment: { PATH: folder },
      workingDirectory: cwd,
      files: { folders: [], files: [], credentials: [], rewrites: [] },
      paths: "rewritten",
    }),
  };
}

async function problemsOf(launches: readonly PlannedLaunch[]): Promise<string> {
  try {
    await checkLaunches(launches);
  } catch (error) {
    assert.ok(error instanceof MeshPlanError);
    return error.message.replaceAll(folder, "FOLDER");
  }
  return "";
}

const AT = "shop.yaml:10: container cart:";
const rows: readonly [what: string, launch: () => PlannedLaunch, problem: string][] = [
  ["in PATH", () => launching("here"), ""],
  ["at a path", () => launching("./here"), ""],
  [
    "mapped, and not in PATH",
    () => launching("opa", { mappedAt: MAPPED }),
    `${AT} program opa, to which images.yaml:7 maps its image opa:1, is not in PATH: install it, or write its path into that entry, absolute or from FOLDER`,
  ],
  [
    "its own, and not in PATH",
    () => launching("opa"),
    `${AT} program opa, its own command, is not in PATH: install it, or write its path into its command, absolute or from FOLDER`,
  ],
  [
    "mapped, and not at its path",
    () => launching("bin/opa", { mappedAt: MAPPED }),
    `${AT} program bin/opa, to which images.yaml:7 maps its image opa:1, is no file that can be run: expected one at FOLDER/bin/opa; put it there, or write another path into that entry`,
  ],
  [
    "its own, and a text",
    () => launching("./text"),
    `${AT} program ./text, its own command, is no file that can be run: expected one at FOLDER/text; put it there, or write another path into its command`,
  ],
  [
    "from a folder that is not there",
    () => launching("here", { cwd: "/nowhere" }),
    `${AT} folder /nowhere is not there`,
  ],
];
for (const [what, launch, problem] of rows)
  test(`a program ${what}`, async () => {
    const expected = problem === "" ? "" : `nothing was started:\n${problem}`;
    assert.equal(await problemsOf([launch()]), expected);
  });

test("all containers are looked at, and each problem is told once", async () => {
  const faulty: PlannedLaunch = {
    container: containerOf("x"),
    launch: () => {
      throw new NoCommandError("shop.yaml:3: no command");
    },
  };
  const all = [launching("opa"), launching("opa"), launching("here"), faulty];
  const [, ...lines] = (await problemsOf(all)).split("\n");
  assert.equal(lines.length, 2);
  assert.equal(lines[1], "shop.yaml:3: no command");
});
