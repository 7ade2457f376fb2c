/**
 * Puts the command line and what it needs into few files: each sidecar is a process of its own, and starts in half the
 * time when it need not look for hundreds of modules. Native parts stay outside.
 */
import { rmSync } from "node:fs";
import { build } from "esbuild";

rmSync("dist/bin", { recursive: true, force: true }); // names hold hashes: those of earlier builds would stay

await build({
  entryPoints: ["dist/cli/main.js"],
  outdir: "dist/bin",
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20",
  sourcemap: true,
  external: ["koffi"],
  // Some packages are CommonJS and ask for Node's own modules.
  banner: {
    js: 'import { createRequire as hauberkRequire } from "node:module"; const require = hauberkRequire(import.meta.url);',
  },
  logLevel: "warning",
});
