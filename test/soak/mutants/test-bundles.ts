/** The tests that ask the engine, the model and the matchers, each file as a module that starts fast. */
import { readdirSync } from "node:fs";
import { build } from "esbuild";

/** Without processes or sockets: what needs those is slow, and asks what these ask too. */
const WANTED =
  /^(src\/(policy|api|telemetry)\/|src\/cli\/(commands\/(explain|describe|authz)|format-)|test\/(naive|conformance)\/).*\.test\.ts$/;

/** Runs the modules that its arguments name, in one process. */
export const RUNNER = "test/soak/mutants/run-bundles.ts";

/** @returns the test files; `bundleOf` names the module of each, inside `folder` */
export async function bundleTests(folder: string): Promise<readonly string[]> {
  const files = ["src", "test"]
    .flatMap((top) =>
      readdirSync(top, { recursive: true, encoding: "utf8" }).map((file) => `${top}/${file}`),
    )
    .filter((file) => WANTED.test(file));
  await build({
    absWorkingDir: folder,
    entryPoints: [...files, RUNNER],
    outdir: "bundles",
    outbase: ".",
    outExtension: { ".js": ".mjs" },
    bundle: true,
    // What files share is loaded once, and what one has changed the next one sees.
    splitting: true,
    platform: "node",
    format: "esm",
    packages: "external",
    logLevel: "error",
  });
  return files;
}

export function bundleOf(file: string): string {
  return `bundles/${file.replace(/\.ts$/, ".mjs")}`;
}
