/**
 * Whether the articles' blocks would notice: breaks what each brought about (a policy deleted, a mode flipped, a
 * certificate that is another's), and counts the blocks that fail then. Exit code 1 when fewer than nine in ten do.
 */

import { titleOf } from "./article-block.ts";
import { ArticleMesh } from "./article-mesh.ts";
import { BLOCKS } from "./blocks.ts";
import { BlockFailure, runBlock } from "./run-block.ts";
import { isWanted } from "./wanted-blocks.ts";

/** Longer than anything takes that was not broken. */
const PATIENCE_MS = 8_000;
const GOAL = 0.9;

const mesh = await ArticleMesh.start();
let [noticed, all] = [0, 0];
try {
  for (const block of BLOCKS.filter(isWanted)) {
    for (const mutation of block.mutations ?? []) {
      all += 1;
      const because = await failureOf(() =>
        runBlock(block, mesh, { patienceMs: PATIENCE_MS, mutation }),
      );
      if (because !== undefined) noticed += 1;
      const [first = ""] = (because ?? "").split("\n");
      console.log(
        `${because === undefined ? "NOT NOTICED" : "noticed"}: ${titleOf(block)}: ${mutation.name}${first && `: ${first}`}`,
      );
    }
  }
} finally {
  await mesh.stop();
}
console.log(`${noticed} of ${all} mutations are noticed`);
process.exitCode = noticed >= GOAL * all && all > 0 ? 0 : 1;

async function failureOf(run: () => Promise<void>): Promise<string | undefined> {
  try {
    await run();
    return undefined;
  } catch (error) {
    if (error instanceof BlockFailure) return error.message;
    throw error;
  }
}
