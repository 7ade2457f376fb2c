/**
 * The articles as a test: each block of commands and of YAML, in order, by real `kubectl` and by our own command line as
 * `istioctl`. `node --test test/article/article.ts`; the environment variable BLOCKS names those wanted, as `0-07,1-02`.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { namespacesMissing } from "../kit/mesh-in-namespaces.ts";
import { titleOf } from "./article-block.ts";
import { ArticleMesh, type ArticleNetwork } from "./article-mesh.ts";
import { BLOCKS } from "./blocks.ts";
import { runBlock } from "./run-block.ts";
import { isWanted } from "./wanted-blocks.ts";

const PATIENCE_MS = Number(process.env["PATIENCE_MS"] ?? 30_000);

/** Of each article. */
const BLOCK_COUNTS = [28, 5] as const;

const network = networkToUse();

describe(`the articles, on ${network}`, () => {
  let mesh: ArticleMesh;
  before(async () => {
    mesh = await ArticleMesh.start(network);
  });
  after(() => mesh?.stop());

  for (const block of BLOCKS.filter(isWanted)) {
    const skip = network === "loopback" && (block.needsNamespaces ?? false);
    test(`${titleOf(block)}: ${block.proves}`, { skip }, async (context) => {
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
        Array.from({ length: BLOCK_COUNTS[article] }, (_, index) => index + 1),
      );
  });
});

/** Where namespaces are not allowed, or by the environment variable NETWORK, blocks that need none run all the same. */
function networkToUse(): ArticleNetwork {
  const { NETWORK } = process.env;
  if (NETWORK === "loopback" || NETWORK === "namespaces") return NETWORK;
  return namespacesMissing() === false ? "namespaces" : "loopback";
}
