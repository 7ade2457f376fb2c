/** What the application answers, and every load compares with. */

const PATTERN = "-item-:0123456789,-name-:-a plain answer of an application- ";

export type BodyPath = "/small" | "/large";

/** nginx takes no longer text than 4 KB at a time. */
export const LARGE_QUARTER: string = bodyOf(2560);

/** Without anything that a configuration of nginx or a Lua string would have to quote. */
export const BODIES: Readonly<Record<BodyPath, string>> = {
  "/small": bodyOf(200),
  "/large": LARGE_QUARTER.repeat(4),
};

function bodyOf(length: number): string {
  return PATTERN.repeat(Math.ceil(length / PATTERN.length)).slice(0, length);
}
