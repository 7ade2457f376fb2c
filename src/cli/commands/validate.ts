/** `hauberk validate`: whether resources are as Istio's schema and webhook demand, before anything uses them. */
import { toldOnce } from "../../api/parse-report.ts";
import { formatRef, type Notice } from "../../api/resource.ts";
import type { ValidatedDocument } from "../../api/validate-resources.ts";
import { printable } from "../../runtime/printable.ts";
import { formatIssue, formatNotice, formatWarning } from "../format-issue.ts";
import { jsonText } from "../json-text.ts";
import { type Judge, type ValidatedFiles, validateFiles } from "../validate-files.ts";

export interface ValidateOptions {
  readonly json?: boolean;
  /** Whether to ask Istio's two gates alone. */
  readonly istio?: boolean;
  /** What `-` reads; absent: standard input. */
  readonly input?: AsyncIterable<Uint8Array>;
}

/** Exit codes: scripts rely on them. */
const GOOD = 0;
const FAULTY = 1;
const UNREADABLE = 2;

/**
 * @param paths files, folders of them, or `-` for standard input
 * @returns the exit code: 0 all good, 1 faults, or nothing to check, 2 something cannot be read
 */
export async function validateCommand(
  paths: readonly string[],
  options: ValidateOptions,
  print: (line: string) => void,
): Promise<number> {
  const { istio, json, input = process.stdin } = options;
  const judge = istio ? "istio" : "mesh";
  const checked = await validateFiles(paths, { judge, input });
  if (json) print(jsonText(inJson(checked)));
  else for (const line of report(checked, judge)) print(printable(line));
  if (checked.unreadable.length > 0) return UNREADABLE;
  return checked.documents.length > 0 && checked.documents.every(isGood) ? GOOD : FAULTY;
}

/** What is said of each document; what was read from it is not for telling. */
function inJson({ documents, unreadable }: ValidatedFiles): unknown {
  return { documents: documents.map(({ resources, ...told }) => told), unreadable };
}

function report({ documents, unreadable }: ValidatedFiles, judge: Judge): string[] {
  return [
    ...unreadable.map(({ file, problem }) => `${file}: cannot be read: ${problem}`),
    ...documents.flatMap(linesOf),
    documents.length === 0 ? "nothing to check" : summary(documents, judge),
  ];
}

/** Of a kind that is not Istio's, Istio's gates say nothing: it must not be counted as good. */
function summary(documents: readonly ValidatedDocument[], judge: Judge): string {
  const faulty = documents.filter((document) => !isGood(document)).length;
  const passedBy =
    judge === "mesh"
      ? 0
      : documents.filter((document) => document.gates === "not asked" && isGood(document)).length;
  const checked = documents.length - passedBy;
  const verdict = faulty === 0 ? "all good" : `${faulty} faulty`;
  const rest = passedBy === 0 ? "" : `; ${passedBy} of kinds that Istio's gates do not know`;
  return checked === 0 ? `none checked${rest}` : `${checked} checked, ${verdict}${rest}`;
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
