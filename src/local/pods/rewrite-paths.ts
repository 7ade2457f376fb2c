/** Paths of a manifest in commands and variables, where they are elsewhere on this machine. */

/** A path of the manifest, and what stands for it here. */
export interface PathRewrite {
  readonly from: string;
  readonly to: string;
  readonly access: "read-only" | "read-write";
  /** Whether it was made for the pod, or is the machine's own. */
  readonly origin: "pod" | "machine";
  /** Of the volume: `to` lies in it, whatever links the volume holds. */
  readonly root: string;
}

/** What may stand before and after a path in an argument or a variable. */
const BEFORE = /[\s=:,;"'([{]/;
const AFTER = /[\s:,;"')\]}/]/;

/** Replaces mount paths, and paths below them, wherever `text` names them. */
export function rewritePaths(text: string, rewrites: readonly PathRewrite[]): string {
  let result = "";
  for (let at = 0; at < text.length; ) {
    const rewrite = startsPath(text, at)
      ? rewrites.find(({ from }) => text.startsWith(from, at) && endsPath(text, at + from.length))
      : undefined;
    result += rewrite?.to ?? text[at];
    at += rewrite?.from.length ?? 1;
  }
  return result;
}

function startsPath(text: string, at: number): boolean {
  return text[at] === "/" && (at === 0 || BEFORE.test(text[at - 1] ?? ""));
}

function endsPath(text: string, at: number): boolean {
  return at >= text.length || AFTER.test(text[at] ?? "");
}
