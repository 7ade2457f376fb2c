/** Where keys are from, how old they are, and what went wrong, in words. */
import { formatDuration } from "../format-time-left.ts";
import type { TokenKeyOrigin } from "./token-keys-at-hand.ts";

/** One line, such as `fetched 3 min ago from https://…; the last try failed: …; tried again in 40 s`. */
export function keyOriginInWords(origin: TokenKeyOrigin, now: Date): string {
  switch (origin.from) {
    case "rule":
      return "written in the rule";
    case "file":
      return `read from ${origin.file}`;
    case "nowhere":
      return `fetched when the mesh runs, from ${origin.source}`;
    case "mesh":
      return [...stateInWords(origin, now), ...triesInWords(origin, now)].join("; ");
  }
}

type Fetched = Extract<TokenKeyOrigin, { from: "mesh" }>;

function stateInWords({ fetchedAt, source }: Fetched, now: Date): readonly string[] {
  if (fetchedAt === undefined)
    return [`never fetched from ${source}, so that its tokens are refused`];
  return [`fetched ${formatDuration(now.getTime() - Date.parse(fetchedAt))} ago from ${source}`];
}

function triesInWords({ problem, nextTryAt }: Fetched, now: Date): readonly string[] {
  if (problem === undefined) return [];
  const waitMs = nextTryAt === undefined ? 0 : Date.parse(nextTryAt) - now.getTime();
  const next = waitMs <= 0 ? "is tried again now" : `is tried again in ${formatDuration(waitMs)}`;
  return [`the last try failed: ${problem}`, next];
}
