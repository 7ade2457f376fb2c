/**
 * The processes of the benchmark, each put into one file as the command line is: what loads modules in development would be
 * measured with them.
 */
import { join } from "node:path";
import { build } from "esbuild";

const FOLDER = ".cache/bench/push";

/** @returns paths of the control plane's program and of the proxies' */
export async function bundledProcesses(): Promise<readonly [string, string]> {
  await build({
    entryPoints: ["control-process", "proxies-process"].map((name) =>
      join(import.meta.dirname, `${name}.ts`),
    ),
    outdir: FOLDER,
    bundle: true,
    splitting: true,
    format: "esm",
    outExtension: { ".js": ".mjs" },
    platform: "node",
    target: "node20",
    external: ["koffi"],
    // Some packages are CommonJS and ask for Node's own modules.
    banner: {
      js: 'import { createRequire as hauberkRequire } from "node:module"; const require = hauberkRequire(import.meta.url);',
    },
    logLevel: "warning",
  });
  return [join(FOLDER, "control-process.mjs"), join(FOLDER, "proxies-process.mjs")];
}
