/** Where commands say what they found: standard output, a line at a time. */
export function printLine(line: string): void {
  process.stdout.write(`${line}\n`);
}
