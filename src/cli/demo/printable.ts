/** What others wrote, such as a path in a log, must not move the cursor of whoever reads it. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, "?");
}
