/**
 * The main job in one command: runs the example mesh and shows its verdicts. Exit 0: every row came out as expected;
 * 1: one surprised, or the mesh did not come up.
 */
import { existsSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { ROWS } from "../demo/rows.ts";
import { Stage } from "../demo/stage.ts";
import { printRow, printSummary } from "../demo/table.ts";
import { type Print, startMesh } from "../start-mesh.ts";
import { aborted, stopSignal } from "../stop-signal.ts";

const EXAMPLE = fileURLToPath(new URL("../../../examples/first-verdict", import.meta.url));
/** `HAUBERK_DEMO_BREAK=tls` swaps files of the example for those in its folder `break/tls`: the demo must then fail. */
const BREAK = "HAUBERK_DEMO_BREAK";

export async function demoCommand(
  { data }: { readonly data: string },
  print: Print,
): Promise<number> {
  const signal = stopSignal();
  const file = exampleFiles(process.env[BREAK]);
  const started = await startMesh({ file, data }, print);
  if (started === undefined) return 1;
  try {
    const stage = new Stage(started);
    let surprises = 0;
    for (const [index, row] of ROWS.entries()) {
      const finding = await row.play(stage);
      if (finding.surprises.length > 0) surprises++;
      printRow({ number: index + 1, row, finding }, print);
      if (index === 0) print(`   time ${started.seconds().toFixed(1)} s since the first line`);
    }
    printSummary({ rows: ROWS.length, surprises, data }, print);
    if (process.stdout.isTTY && surprises === 0) {
      print("The mesh stays up; Ctrl-C stops it.");
      await aborted(signal);
    }
    return surprises === 0 ? 0 : 1;
  } finally {
    print("stopping");
    await started.close();
  }
}

/** The example's YAML files; one that `break/NAME` holds too is taken from there. */
function exampleFiles(broken: string | undefined): string[] {
  const folder = broken ? join(EXAMPLE, "break", broken) : EXAMPLE;
  if (!existsSync(folder)) {
    const known = readdirSync(join(EXAMPLE, "break")).join(", ");
    throw new Error(`${BREAK}=${broken} is not known; expected one of ${known}`);
  }
  return readdirSync(EXAMPLE)
    .filter((name) => name.endsWith(".yaml"))
    .map((name) => (existsSync(join(folder, name)) ? join(folder, name) : join(EXAMPLE, name)))
    .map((path) => relative(process.cwd(), path));
}
