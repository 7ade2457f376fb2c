/**
 * Puts the tests and what they test into modules that start fast: translating and finding hundreds of files anew in each
 * process would take longer than the tests.
 */
import { join, resolve } from "node:path";
import { build } from "esbuild";

/** Native parts, and what must find its own files. */
const OUTSIDE = ["koffi", "esbuild"];
/** Some packages are CommonJS and ask for Node's own modules. */
const REQUIRE =
  'import { createRequire as hauberkRequire } from "node:module"; const require = hauberkRequire(import.meta.url);';

/**
 * @param processes name and files of each
 * @param folder below the package, where the modules find it
 * @returns a module for each process
 */
export async function bundleTests(processes, folder) {
  const entryPoints = processes.map(({ name }, place) => ({
    in: `process:${name}`,
    out: `${String(place).padStart(3, "0")}-${name.replaceAll("/", "-")}.test`,
  }));
  await build({
    entryPoints,
    plugins: [importing(processes)],
    outdir: folder,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20",
    sourcemap: true,
    sourcesContent: false,
    external: OUTSIDE,
    banner: { js: REQUIRE },
    chunkNames: "shared/[name]-[hash]",
    logLevel: "warning",
  });
  return entryPoints.map(({ out }) => join(folder, `${out}.js`));
}

/** The module of a process imports its files. */
function importing(processes) {
  const filesOf = new Map(processes.map(({ name, files }) => [`process:${name}`, files]));
  const filter = /^process:/;
  return {
    name: "processes of tests",
    setup(builder) {
      builder.onResolve({ filter }, ({ path }) => ({ path, namespace: "process" }));
      builder.onLoad({ filter, namespace: "process" }, ({ path }) => ({
        contents: filesOf
          .get(path)
          .map((file) => `await import(${JSON.stringify(resolve(file))});`)
          .join("\n"),
        resolveDir: resolve("."),
      }));
    },
  };
}
