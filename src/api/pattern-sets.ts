/** The sets of characters that regular expressions have names for; ASCII alone, as RE2 has them. */

export type CharacterTest = (code: number) => boolean;

export const CONTROLS: ReadonlyMap<string, number> = new Map([
  ["n", 10],
  ["t", 9],
  ["r", 13],
  ["f", 12],
  ["v", 11],
  ["a", 7],
]);

function inRanges(...ranges: readonly string[]): CharacterTest {
  const bounds = ranges.map((range) => [range.charCodeAt(0), range.charCodeAt(1)] as const);
  return (code) => bounds.some(([low, high]) => code >= low && code <= high);
}

function not(test: CharacterTest): CharacterTest {
  return (code) => !test(code);
}

const digit = inRanges("09");
const space = inRanges("\t\n", "\f\r", "  ");
/** ASCII alone, as RE2 has it. */
export const isWordCharacter: CharacterTest = inRanges("09", "az", "AZ", "__");

export const SETS: ReadonlyMap<string, CharacterTest> = new Map([
  ["d", digit],
  ["D", not(digit)],
  ["s", space],
  ["S", not(space)],
  ["w", isWordCharacter],
  ["W", not(isWordCharacter)],
]);

export const POSIX_SETS: ReadonlyMap<string, CharacterTest> = new Map([
  ["alnum", inRanges("09", "az", "AZ")],
  ["alpha", inRanges("az", "AZ")],
  ["digit", digit],
  ["lower", inRanges("az")],
  ["upper", inRanges("AZ")],
  ["word", isWordCharacter],
  ["xdigit", inRanges("09", "af", "AF")],
]);
