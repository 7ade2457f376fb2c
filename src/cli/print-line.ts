/** Where commands say what they found: standard output, a line at a time. */
export type Print = (line: string) => void;

export function printLine(line: string): void {
  process.stdout.write(`${line}\n`);
}
