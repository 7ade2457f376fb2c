/** Which blocks a run is about. */
import type { ArticleBlock } from "./article-block.ts";

const { BLOCKS: WANTED = "" } = process.env;

/** All, unless the environment variable BLOCKS names some, as `0-07,1-02`. */
export function isWanted({ article, block }: ArticleBlock): boolean {
  const name = `${article}-${String(block).padStart(2, "0")}`;
  return WANTED === "" || WANTED.split(",").includes(name);
}
