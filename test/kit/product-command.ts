/**
 * The command line from today's sources, in one file made once a test process: a mesh is many processes, and each would
 * otherwise translate hundreds of modules for itself.
 */
import { rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { buildSync } from "esbuild";

const REQUIRE =
  'import { createRequire as hauberkRequire } from "node:module"; const require = hauberkRequire(import.meta.url);';

let made: string | undefined;

/**
 * As it is installed, without source maps: of one bundle, the first error whose stack is read (gRPC reads that of every
 * call that ends, as with each renewal) would stop a sidecar for as long as it takes to read all of theirs, 200 ms of CPU.
 *
 * @returns flags of `node` and the file; the arguments of `hauberk` follow
 */
export function productCommand(): readonly string[] {
  made ??= bundle();
  return [made];
}

function bundle(): string {
  // Below the package: there it finds its own files, and the native parts that stay outside.
  const folder = resolve(".cache", "tested", `${process.pid}`);
  buildSync({
    entryPoints: ["src/cli/main.ts"],
    outdir: folder,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20",
    external: ["koffi"],
    banner: { js: REQUIRE },
    logLevel: "warning",
  });
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  return join(folder, "main.js");
}
