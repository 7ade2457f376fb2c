/** Where commands say what they found: standard output, a line at a time, and nothing in it steers the terminal. */
import { printable } from "../runtime/printable.ts";

export type Print = (line: string) => void;

/** Answers alone go to standard output; why there is none goes to standard error. */
export interface Printers {
  readonly print: Print;
  readonly warn: Print;
}

export function printLine(line: string): void {
  process.stdout.write(`${printableLines(line)}\n`);
}

export function warnLine(line: string): void {
  process.stderr.write(`${printableLines(line)}\n`);
}

/** JSON comes with line ends of its own. */
function printableLines(text: string): string {
  return text.split("\n").map(printable).join("\n");
}
