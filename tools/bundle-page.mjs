/** Makes the script of the dashboard's page: one file, as a browser takes it. */
import { build } from "esbuild";

await build({
  entryPoints: ["src/dashboard/page/page.ts"],
  outfile: "dist/dashboard/page.js",
  bundle: true,
  format: "esm",
  platform: "browser",
  target: "es2022",
  logLevel: "warning",
});
