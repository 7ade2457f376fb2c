/** Where commands say what they found: standard output, a line at a time. */
export type Print = (line: string) => void;

/** Answers alone go to standard output; why there is none goes to standard error. */
export interface Printers {
  readonly print: Print;
  readonly warn: Print;
}

export function printLine(line: string): void {
  process.stdout.write(`${line}\n`);
}

export function warnLine(line: string): void {
  process.stderr.write(`${line}\n`);
}
