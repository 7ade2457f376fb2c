/** Runs in a process of its own: imports the tests that it is told to, in order, and notes which mutants they reached. */
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

declare global {
  /** `REACHED`: mutated code makes it. */
  var hauberkMutantsReached: Uint8Array | undefined;
}

const [coverageFile, ...bundles] = process.argv.slice(2);

process.on("exit", () => {
  if (coverageFile) writeFileSync(coverageFile, globalThis.hauberkMutantsReached ?? "");
});

for (const bundle of bundles) await import(pathToFileURL(resolve(bundle)).href);
