/** What is said about one document while it is read: issues, notices, and fields accepted without effect. */
import type { Issue, IssueLevel, Notice } from "./resource.ts";

/** Where something is said: a line of the file, from 1, and a dotted path inside the document. */
export interface Position {
  readonly line: number;
  readonly path: string;
}

/** What readers and checks say things to. */
export interface Report {
  /** @param about "type" where the value is not of the type that is asked for */
  issue(at: Position, problem: string, about?: "type"): void;
  notice(at: Position, message: string): void;
  /** Remembers a field that has no effect here; list indexes are left out, so that a list counts once. */
  unused(path: string): void;
}

export class ParseReport implements Report {
  readonly issues: Issue[] = [];
  readonly #notices: Notice[] = [];
  readonly #told = new Set<string>();
  readonly #unused = new Set<string>();
  readonly #file: string;
  constructor(file: string) {
    this.#file = file;
  }

  issue(at: Position, problem: string): void {
    this.#issue(at, { problem });
  }

  notice(at: Position, message: string): void {
    this.#notice(at, { message });
  }

  unused(path: string): void {
    this.#unused.add(path.replace(/\[\d+\]/g, "[]"));
  }

  /** The same report, for one of the checks of a cluster: faults carry its level, and so do warnings of a gate. */
  at(level: IssueLevel): Report {
    const ofGate = level === "document" ? {} : { level };
    return {
      issue: (at, problem, about) =>
        this.#issue(at, { problem, level, ...(about === undefined ? {} : { about }) }),
      notice: (at, message) => this.#notice(at, { message, ...ofGate }),
      unused: (path) => this.unused(path),
    };
  }

  /** All notices; the unused fields make one, at `line`. */
  notices(line: number): readonly Notice[] {
    if (this.#unused.size === 0) return this.#notices;
    const message = `accepted, without effect here yet: ${[...this.#unused].join(", ")}`;
    return [...this.#notices, { source: { file: this.#file, line }, path: "", message }];
  }

  /** The same fault found twice, because a field is read twice, is told once. */
  #issue({ line, path }: Position, said: Pick<Issue, "problem" | "level" | "about">): void {
    const key = `${line} ${path} ${said.problem} ${said.level}`;
    if (this.#told.has(key)) return;
    this.#told.add(key);
    this.issues.push({ source: { file: this.#file, line }, path, ...said });
  }

  #notice({ line, path }: Position, said: Pick<Notice, "message" | "level">): void {
    this.#notices.push({ source: { file: this.#file, line }, path, ...said });
  }
}

/**
 * One fault that several checks find at one place is told by one: by the webhook, who knows the kind best, else by the
 * schema; a value of the wrong type is the schema's matter alone.
 */
export function toldOnce(issues: readonly Issue[]): readonly Issue[] {
  const places = new Map<string, Issue[]>();
  for (const issue of issues) {
    const place = `${issue.source.line} ${issue.path}`;
    places.set(place, [...(places.get(place) ?? []), issue]);
  }
  const told = new Set([...places.values()].flatMap(bestTold));
  return issues.filter((issue) => told.has(issue));
}

function bestTold(issues: readonly Issue[]): readonly Issue[] {
  const ofType = issues.filter(({ about }) => about === "type");
  const ofLevels = LEVELS.map((level) => issues.filter((issue) => issue.level === level));
  return [ofType, ...ofLevels].find((said) => said.length > 0) ?? issues;
}

/** Whose words are told, in this order. */
const LEVELS: readonly IssueLevel[] = ["document", "webhook", "schema"];
