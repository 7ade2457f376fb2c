/** A terminal with lines that stay, and below them a few that are drawn anew in place. */
import { foldLine } from "./fold-line.ts";

export interface Terminal {
  write(text: string): void;
  /** Now: a window can be resized. */
  columns(): number;
}

export class Screen {
  readonly #terminal: Terminal;
  #live: readonly string[] = [];

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  get columns(): number {
    return this.#terminal.columns();
  }

  /** A line that stays; folded where it is too long. */
  print(line: string): void {
    this.printLines(foldLine(line, this.columns));
  }

  /** Lines that stay, and that fit already: colours would count as characters. */
  printLines(lines: readonly string[]): void {
    this.#draw(lines, this.#live);
  }

  /** Replaces the lines at the bottom, which must fit. */
  showLive(lines: readonly string[]): void {
    this.#draw([], lines);
  }

  #draw(staying: readonly string[], live: readonly string[]): void {
    const above = this.#live.length;
    const erase = above === 0 ? "" : `\u001b[${above}A\r\u001b[J`;
    this.#live = live;
    this.#terminal.write(erase + [...staying, ...live].map((line) => `${line}\n`).join(""));
  }
}
