/** A terminal as far as the demo's screen uses one: what would be seen on it in the end. */
import type { Terminal } from "../../src/cli/demo/screen.ts";

export interface SmallTerminal extends Terminal {
  /** Without colours and trailing blanks. */
  lines(): readonly string[];
  /** The longest line there ever was. */
  widest(): number;
}

const CONTROL = /^\p{Cc}\[(\d*)([A-Za-z])/u;

export function smallTerminal(columns: number): SmallTerminal {
  let rows: string[] = [""];
  let row = 0;
  let widest = 0;
  const put = (character: string): void => {
    if (character === "\r") return;
    if (character === "\n") {
      row++;
      rows[row] ??= "";
      return;
    }
    rows[row] += character;
    widest = Math.max(widest, rows[row]?.length ?? 0);
  };
  const control = (count: number, command: string): void => {
    if (command === "A") row = Math.max(0, row - count);
    if (command === "J") rows = [...rows.slice(0, row), ""];
  };
  return {
    columns: () => columns,
    write(text) {
      for (let rest = text; rest.length > 0; ) {
        const [sequence, count = "", command = ""] = CONTROL.exec(rest) ?? [];
        if (sequence === undefined) put(rest.charAt(0));
        else control(Number(count), command);
        rest = rest.slice(sequence?.length ?? 1);
      }
    },
    lines: () => rows.map((line) => line.trimEnd()),
    widest: () => widest,
  };
}
