/** Answers as JSON that is safe to look at: what would steer a terminal is written as an escape, which means the same. */

export function jsonText(data: unknown): string {
  const text = JSON.stringify(data, null, 2);
  return text.replace(/[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    Array.from({ length: character.length }, (_, unit) => escapeOf(character, unit)).join(""),
  );
}

function escapeOf(character: string, unit: number): string {
  return `\\u${character.charCodeAt(unit).toString(16).padStart(4, "0")}`;
}
