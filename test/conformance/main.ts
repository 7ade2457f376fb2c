/** `npm run conformance -- [DIR [SUITE]]`: cases of upstream projects, which nobody of this one wrote. */
import { join } from "node:path";
import { runConformance } from "./run-conformance.ts";

const BESIDE_THE_REPOSITORY = join(import.meta.dirname, "../../../shared/conformance");

const [directory = BESIDE_THE_REPOSITORY, suite] = process.argv.slice(2);
process.exitCode = await runConformance({ directory, suite }, console.log);
