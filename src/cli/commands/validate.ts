/** `hauberk validate`: whether resources are as Istio's schema and webhook demand, before anything uses them. */
import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { toldOnce } from "../../api/parse-report.ts";
import { formatRef, type Notice } from "../../api/resource.ts";
import { type ValidatedDocument, validateResources } from "../../api/validate-resources.ts";
import { filesAt } from "../../control/resource-files.ts";
import { describeError } from "../../runtime/hauberk-error.ts";
import { formatIssue, formatNotice, formatWarning } from "../format-issue.ts";

export interface ValidateOptions {
  readonly json?: boolean;
  /** What `-` reads; absent: standard input. */
  readonly input?: AsyncIterable<Uint8Array>;
}

/** Exit codes: scripts rely on them. */
const GOOD = 0;
const FAULTY = 1;
const UNREADABLE = 2;

const STANDARD_INPUT = "-";

/**
 * @param paths files, folders of them, or `-` for standard input
 * @returns the exit code: 0 all good, 1 faults, or nothing to check, 2 something cannot be read
 */
export async function validateCommand(
  paths: readonly string[],
  options: ValidateOptions,
  print: (line: string) => void,
): Promise<number> {
  const checked = await check(paths, options);
  if (options.json) print(JSON.stringify(checked, null, 2));
  else for (const line of report(checked)) print(line);
  if (checked.unreadable.length > 0) return UNREADABLE;
  return checked.documents.length > 0 && checked.documents.every(isGood) ? GOOD : FAULTY;
}

interface Checked {
  readonly documents: readonly ValidatedDocument[];
  readonly unreadable: readonly { readonly file: string; readonly problem: string }[];
}

async function check(paths: readonly string[], { input }: ValidateOptions): Promise<Checked> {
  const documents: ValidatedDocument[] = [];
  const unreadable: Checked["unreadable"][number][] = [];
  for (const path of paths) {
    try {
      for (const { file, content } of await textsAt(path, input ?? process.stdin)) {
        documents.push(...validateResources(content, file));
      }
    } catch (error) {
      unreadable.push({ file: path, problem: describeError(error) });
    }
  }
  return { documents, unreadable };
}

async function textsAt(
  path: string,
  input: AsyncIterable<Uint8Array>,
): Promise<readonly { readonly file: string; readonly content: string }[]> {
  if (path === STANDARD_INPUT) return [{ file: "<stdin>", content: await text(input) }];
  const files = await filesAt(path);
  return Promise.all(files.map(async (file) => ({ file, content: await readFile(file, "utf8") })));
}

function report({ documents, unreadable }: Checked): string[] {
  const faulty = documents.filter((document) => !isGood(document)).length;
  return [
    ...unreadable.map(({ file, problem }) => `${file}: cannot be read: ${problem}`),
    ...documents.flatMap(linesOf),
    documents.length === 0 ? "nothing to check" : summary(documents.length, faulty),
  ];
}

function summary(checked: number, faulty: number): string {
  return `${checked} checked, ${faulty === 0 ? "all good" : `${faulty} faulty`}`;
}

function isGood({ issues }: ValidatedDocument): boolean {
  return issues.length === 0;
}

/** What Istio would warn of is a warning; what only this product says is a note. */
function linesOf({ kind, namespace, name, issues, notices }: ValidatedDocument): string[] {
  const lines = [...toldOnce(issues).map(formatIssue), ...notices.map(noticeLine)];
  if (lines.length === 0 || kind === undefined || name === undefined) return lines;
  return [`${formatRef({ kind, namespace: namespace ?? "", name })}:`, ...lines.map(indented)];
}

function noticeLine(notice: Notice): string {
  return notice.level === undefined ? formatNotice(notice) : formatWarning(notice);
}

function indented(line: string): string {
  return `  ${line}`;
}
