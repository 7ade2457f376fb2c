/** Paths that are written in another way, or lead elsewhere, than they seem to: what normalisation is for (AP-100 to AP-107). */
import type { Dice } from "../kit/dice.ts";

const SEGMENTS = [
  "..",
  ".",
  "%2e%2e",
  "%2E.",
  "..;x=1",
  "...",
  "",
  "a%2Fb",
  "%5cb",
  "..\\a",
  "%61",
  "%c0%ae",
  "%252e%252e",
  "%%32%66",
  "a%",
  "a<b",
  "%00",
] as const;

/** The same path with a segment that is odd, anywhere in it; what is no path stays. */
export function oddPath(dice: Dice, path: string): string {
  if (!path.startsWith("/")) return path;
  const [pathname = "", ...query] = path.split("?");
  const segments = pathname.split("/");
  const at = dice.between(1, segments.length);
  const odd = segments.toSpliced(at, dice.between(0, 1), dice.pick(SEGMENTS)).join("/");
  return [odd, ...query].join("?");
}
