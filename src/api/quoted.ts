/** What the user wrote, for messages: in quotes, and never so long that it hides the message. */

const LONGEST = 80;

export function quoted(text: string): string {
  return JSON.stringify(shortened(text));
}

export function shortened(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}
