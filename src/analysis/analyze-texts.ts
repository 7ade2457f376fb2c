/** Texts in, findings out: what `hauberk analyze` asks of the files of a mesh. */
import { readDocuments } from "../api/parse-resources.ts";
import { AnalyzedMesh } from "./analyzed-mesh.ts";
import { ANALYZERS, ANALYZERS_BY_NAME } from "./analyzers.ts";
import type { Finding } from "./finding.ts";

export interface AnalyzeOptions {
  /** Names of the analyzers to ask; absent: those of a plain run. */
  readonly names?: readonly string[];
}

/** A text of YAML documents, with its name as it stands in messages. */
export interface AskedText {
  readonly file: string;
  readonly text: string;
}

/** @returns what was found, the gravest first, then by file and line */
export function analyzeTexts(
  texts: readonly AskedText[],
  { names }: AnalyzeOptions = {},
): readonly Finding[] {
  const all = names === undefined ? ANALYZERS : [...ANALYZERS, ...ANALYZERS_BY_NAME];
  const asked = all.filter(({ name }) => names?.includes(name) ?? true);
  const documents = texts.flatMap(({ text, file }) => readDocuments(text, file));
  const mesh = new AnalyzedMesh(texts, { documents });
  const found = asked.flatMap((analyzer) => [...analyzer.analyze(mesh)]);
  return (names === undefined ? distinct(found) : found).sort(byGravity);
}

/** Several analyzers ask whether a Gateway has pods. */
function distinct(found: readonly Finding[]): Finding[] {
  const told = new Map(found.map((one) => [keyOf(one), one] as const));
  return [...told.values()];
}

function keyOf({ code, resource, source, message }: Finding): string {
  return `${code} ${resource} ${source.file}:${source.line} ${message}`;
}

const GRAVITY = ["Error", "Warning", "Info"];

function byGravity(one: Finding, other: Finding): number {
  return (
    GRAVITY.indexOf(one.level) - GRAVITY.indexOf(other.level) ||
    one.source.file.localeCompare(other.source.file) ||
    one.source.line - other.source.line ||
    one.code.localeCompare(other.code)
  );
}
