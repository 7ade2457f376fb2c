/**
 * What a sidecar's process loads, by the modules that its command reaches: each pod has one, and pays for all of it. It
 * needs nothing that Envoy is configured by.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { build, type Metafile } from "esbuild";

const COMMAND = "src/cli/commands/sidecar.ts";

async function modulesOf(command: string): Promise<readonly string[]> {
  const { metafile } = await build({
    entryPoints: ["src/cli/main.ts"],
    outdir: ".cache",
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20",
    external: ["koffi"],
    write: false,
    metafile: true,
    logLevel: "error",
  });
  return [...reachedFrom(command, metafile)];
}

/** By imports of either kind: what is loaded only when needed will be needed. */
function reachedFrom(first: string, { inputs }: Metafile): ReadonlySet<string> {
  const reached = new Set<string>();
  const visit = (file: string): void => {
    if (reached.has(file)) return;
    reached.add(file);
    for (const { path, external } of inputs[file]?.imports ?? [])
      if (external !== true) visit(path);
  };
  visit(first);
  return reached;
}

const modules = await modulesOf(COMMAND);

test("the list is that of a sidecar", () => {
  assert.ok(modules.length > 300, `${modules.length} modules`);
  assert.ok(modules.includes("src/proxy/sidecar.ts"));
});

test("a sidecar loads no descriptor of Envoy, nor of what those are made of", () => {
  const descriptors = modules.filter((one) => one.startsWith("src/wire/gen/"));
  const ours = /^src\/wire\/gen\/(?:hauberk|istio|spiffe)\//;
  assert.deepEqual(
    descriptors.filter((one) => !ours.test(one)),
    [],
  );
  assert.ok(descriptors.length > 0, "there are some");
});

test("a sidecar loads nothing that reads resources, or serves a mesh", () => {
  const rooms = ["src/control/", "src/ca/"];
  const packages = ["yaml", "commander", "@bufbuild/cel"].map((name) => `node_modules/${name}/`);
  const strays = modules.filter((one) =>
    [...rooms, ...packages].some((prefix) => one.startsWith(prefix)),
  );
  assert.deepEqual(strays, []);
});
