/**
 * The articles as a test: each block of commands and of YAML, in order, by real `kubectl` and by our own command line as
 * `istioctl`. `node --test test/article/article.ts`; the environment variable BLOCKS names those wanted, as `0-07,1-02`.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { namespacesMissing } from "../kit/mesh-in-namespaces.ts";
import { titleOf } from "./article-block.ts";
import { ArticleMesh } from "./article-mesh.ts";
import { BLOCKS } from "./blocks.ts";
import { runBlock } from "./run-block.ts";
import { isWanted } from "./wanted-blocks.ts";

const PATIENCE_MS = 30_000;

describe("the articles", { skip: namespacesMissing() }, () => {
  let mesh: ArticleMesh;
  before(async () => {
    mesh = await ArticleMesh.start();
  });
  after(() => mesh?.stop());

  for (const block of BLOCKS.filter(isWanted)) {
    test(`${titleOf(block)}: ${block.proves}`, async (context) => {
      const marked = (command: string, reason: string): void =>
        context.diagnostic(`marked, not run: ${command}: ${reason}`);
      await runBlock(block, mesh, { patienceMs: PATIENCE_MS, marked });
    });
  }

  test("no block is left out", () => {
    const numbers = (article: 0 | 1): readonly number[] =>
      BLOCKS.filter((block) => block.article === article).map(({ block }) => block);
    for (const article of [0, 1] as const)
      assert.deepEqual(
        numbers(article),
        [...numbers(article).keys()].map((index) => index + 1),
      );
  });
});
