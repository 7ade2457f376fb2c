/** A command, run in this process: what it tells, and its exit code. */
import type { Print } from "../../src/cli/print-line.ts";

export interface ToldByCommand {
  readonly code: number;
  /** Lines of both outputs, as they came. */
  readonly text: string;
}

/** @param run is told where lines go, to either output */
export async function toldByCommand(
  run: (print: Print) => Promise<number>,
): Promise<ToldByCommand> {
  const lines: string[] = [];
  const code = await run((line) => lines.push(line));
  return { code, text: lines.join("\n") };
}
