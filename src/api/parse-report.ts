/** What is said about one document while it is read: issues, notices, and fields accepted without effect. */
import type { Issue, Notice } from "./resource.ts";

/** Where something is said: a line of the file, from 1, and a dotted path inside the document. */
export interface Position {
  readonly line: number;
  readonly path: string;
}

export class ParseReport {
  readonly issues: Issue[] = [];
  readonly #notices: Notice[] = [];
  readonly #told = new Set<string>();
  readonly #unused = new Set<string>();
  readonly #file: string;
  constructor(file: string) {
    this.#file = file;
  }

  /** The same fault found twice, because a field is read twice, is told once. */
  issue({ line, path }: Position, problem: string): void {
    const key = `${line} ${path} ${problem}`;
    if (this.#told.has(key)) return;
    this.#told.add(key);
    this.issues.push({ source: { file: this.#file, line }, path, problem });
  }

  notice({ line, path }: Position, message: string): void {
    this.#notices.push({ source: { file: this.#file, line }, path, message });
  }

  /** Remembers a field that has no effect here; list indexes are left out, so that a list counts once. */
  unused(path: string): void {
    this.#unused.add(path.replace(/\[\d+\]/g, "[]"));
  }

  /** All notices; the unused fields make one, at `line`. */
  notices(line: number): readonly Notice[] {
    if (this.#unused.size === 0) return this.#notices;
    const message = `accepted, without effect here yet: ${[...this.#unused].join(", ")}`;
    return [...this.#notices, { source: { file: this.#file, line }, path: "", message }];
  }
}
