/** What is said about one document while it is read: issues, notices, and fields accepted without effect. */
import { printable } from "../runtime/printable.ts";
import { BoundedList, MOST_TOLD } from "./bounded-list.ts";
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
  /** Whether there are so many issues already that another would change nothing: the rest need not be looked for. */
  readonly isFull: boolean;
}

/** Longest message; what the user wrote stands in it shortened already. */
const LONGEST_MESSAGE = 2_000;

export class ParseReport implements Report {
  readonly #issues = new BoundedLevels<Issue>();
  readonly #notices = new BoundedLevels<Notice>();
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
    if (this.#unused.size < MOST_TOLD) this.#unused.add(path.replace(/\[\d+\]/g, "[]"));
  }

  get isFull(): boolean {
    return this.#issues.isFull(undefined);
  }

  /** The same report, for one of the checks of a cluster: faults carry its level, and so do warnings of a gate. */
  at(level: IssueLevel): Report {
    const ofGate = level === "document" ? {} : { level };
    const issues = this.#issues;
    return {
      get isFull() {
        return issues.isFull(level);
      },
      issue: (at, problem, about) =>
        this.#issue(at, { problem, level, ...(about === undefined ? {} : { about }) }),
      notice: (at, message) => this.#notice(at, { message, ...ofGate }),
      unused: (path) => this.unused(path),
    };
  }

  /** By line, the first few of each level; last, how many more there are. */
  get issues(): readonly Issue[] {
    const { told, rests } = this.#issues;
    return [
      ...told.toSorted((one, other) => one.source.line - other.source.line),
      ...rests.map(({ first, count }): Issue => {
        const { source, level } = first;
        const problem = `and ${count} more faults of this document`;
        return {
          source,
          path: "",
          problem,
          about: "rest",
          ...(level === undefined ? {} : { level }),
        };
      }),
    ];
  }

  /** As they were said, the first few of each level; the unused fields make one, at `line`. */
  notices(line: number): readonly Notice[] {
    const { told, rests } = this.#notices;
    const more = rests.map(({ first, count }): Notice => {
      const { source, level } = first;
      const message = `and ${count} more such notes on this document`;
      return { source, path: "", message, ...(level === undefined ? {} : { level }) };
    });
    return [...told, ...more, ...this.#unusedFields(line)];
  }

  #unusedFields(line: number): readonly Notice[] {
    if (this.#unused.size === 0) return [];
    const names = [...this.#unused].join(", ").slice(0, LONGEST_MESSAGE);
    const message = `accepted, without effect here yet: ${names}`;
    return [{ source: { file: this.#file, line }, path: "", message }];
  }

  /** The same fault found twice, because a field is read twice, is told once. */
  #issue({ line, path }: Position, said: Pick<Issue, "problem" | "level" | "about">): void {
    const problem = safe(said.problem);
    const issue = { source: { file: this.#file, line }, path, ...said, problem };
    this.#issues.add(issue, `${line} ${path} ${problem}`);
  }

  #notice({ line, path }: Position, said: Pick<Notice, "message" | "level">): void {
    const message = safe(said.message);
    this.#notices.add({ source: { file: this.#file, line }, path, ...said, message });
  }
}

/** A common bound for all that is said, whoever says it. */
class BoundedLevels<Said extends { readonly level?: IssueLevel }> {
  readonly #levels = new Map<IssueLevel | undefined, BoundedList<Said>>();

  add(said: Said, key?: string): void {
    const list = this.#levels.get(said.level) ?? new BoundedList<Said>();
    this.#levels.set(said.level, list);
    list.add(said, key);
  }

  isFull(level: Said["level"]): boolean {
    return this.#levels.get(level)?.isFull ?? false;
  }

  get told(): readonly Said[] {
    return [...this.#levels.values()].flatMap(({ told }) => told);
  }

  get rests(): readonly { readonly first: Said; readonly count: string }[] {
    return [...this.#levels.values()].flatMap(({ rest }) => rest ?? []);
  }
}

function safe(message: string): string {
  return printable(message.slice(0, LONGEST_MESSAGE));
}

/**
 * One fault that several checks find at one place is told by one: by the webhook, who knows the kind best, else by the
 * schema; a value of the wrong type is the schema's matter alone.
 */
export function toldOnce(issues: readonly Issue[]): readonly Issue[] {
  const places = new Map<string, Issue[]>();
  for (const issue of issues) {
    const place = `${issue.about === "rest"} ${issue.source.line} ${issue.path}`;
    const known = places.get(place);
    if (known === undefined) places.set(place, [issue]);
    else known.push(issue);
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
