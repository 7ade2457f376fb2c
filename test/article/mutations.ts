/**
 * Whether the articles' blocks would notice: breaks what each brought about (a policy deleted, a mode flipped, a
 * certificate that is another's), and counts the blocks that fail then. Exit code 1 when fewer than nine in ten do.
 */

import { titleOf } from "./article-block.ts";
import { ArticleMesh } from "./article-mesh.ts";
import { BLOCKS } from "./blocks.ts";
import { BlockFailure, runBlock } from "./run-block.ts";
import { isWanted } from "./wanted-blocks.ts";

const PATIENCE_MS = 30_000;
/** How long a broken block may take to become true, at least; and how many times as long as it took unbroken. */
const LEAST_BROKEN_MS = 3_000;
const TIMES_UNBROKEN = 2;
const GOAL = 0.9;

// Whoever ends this ends the mesh too.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
const mesh = await ArticleMesh.start();
let [noticed, all, unprepared] = [0, 0, 0];
try {
  for (const block of BLOCKS.filter(isWanted)) {
    const { mutations = [] } = block;
    if (mutations.length === 0) continue;
    const begun = performance.now();
    const unbroken = await failureOf(() => runBlock(block, mesh, { patienceMs: PATIENCE_MS }));
    const took = performance.now() - begun;
    const patienceMs = Math.max(LEAST_BROKEN_MS, TIMES_UNBROKEN * took);
    if (unbroken !== undefined) tell("FAILS ANYWAY", titleOf(block), unbroken);
    for (const mutation of mutations) {
      all += 1;
      if (unbroken !== undefined) continue;
      const because = await failureOf(() => runBlock(block, mesh, { patienceMs, mutation }));
      if (because !== undefined) noticed += 1;
      tell(
        because === undefined ? "NOT NOTICED" : "noticed",
        `${titleOf(block)}: ${mutation.name}`,
        because,
      );
    }
  }
} finally {
  await mesh.stop();
}
console.log(`${noticed} of ${all} mutations are noticed`);
process.exitCode = noticed >= GOAL * all && all > 0 && unprepared === 0 ? 0 : 1;

function tell(verdict: string, what: string, because = ""): void {
  const [first = ""] = because.split("\n");
  console.log([verdict, what, first].filter(Boolean).join(": "));
}

async function failureOf(run: () => Promise<void>): Promise<string | undefined> {
  try {
    await run();
    return undefined;
  } catch (error) {
    if (error instanceof BlockFailure) return error.message;
    unprepared += 1;
    console.log(`COULD NOT BE TRIED: ${error instanceof Error ? error.message : error}`);
    return undefined;
  }
}
