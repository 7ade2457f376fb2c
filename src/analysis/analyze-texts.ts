/** Texts in, findings out: what `hauberk analyze` asks of the files of a mesh. */
import { type ReadDocument, readDocuments } from "../api/parse-resources.ts";
import type { Notice, SourceLocation } from "../api/resource.ts";
import { AnalyzedMesh } from "./analyzed-mesh.ts";
import type { AnalyzedObject } from "./analyzed-object.ts";
import { ANALYZERS, ANALYZERS_BY_NAME } from "./analyzers.ts";
import { ASSUMED_GATEWAY } from "./assumed-gateway.ts";
import { type Analyzer, type Finding, findingAt, namespaceOf } from "./finding.ts";
import { toldOnce } from "./told-once.ts";

export interface AnalyzeOptions {
  /** Certificates are valid or not at some time. */
  readonly now: Date;
  /** Names of the analyzers to ask; absent: those of a plain run. */
  readonly names?: readonly string[];
  /** "assumed": as istioctl does for files alone, Istio's own ingress gateway is thought to run beside what is written. */
  readonly gateway?: "assumed" | "written";
  /** What the mesh is told of beside what analyzers find: of single documents, and of all together. */
  readonly notices?: { readonly document: readonly Notice[]; readonly mesh: readonly Notice[] };
}

/** A text of YAML documents, with its name as it stands in messages. */
export interface AskedText {
  readonly file: string;
  readonly text: string;
  /** Objects of it that are not in force, as `Kind namespace/name`. */
  readonly setAside?: readonly string[];
}

/**
 * @returns what was found, the gravest first, then by file and line
 * @throws Error where no analyzer has one of `names`
 */
export function analyzeTexts(
  texts: readonly AskedText[],
  { now, names, gateway = "assumed", notices }: AnalyzeOptions,
): readonly Finding[] {
  const all = names === undefined ? ANALYZERS : [...ANALYZERS, ...ANALYZERS_BY_NAME];
  const asked = names === undefined ? all : names.map((name) => named(name, all));
  const documents = texts.flatMap(({ text, file, setAside = [] }) =>
    readDocuments(text, file).filter((one) => !setAside.includes(titleOf(one))),
  );
  const assumed = gateway === "assumed" ? [ASSUMED_GATEWAY] : [];
  const mesh = new AnalyzedMesh([...texts, ...assumed], { now, documents });
  const found = [
    ...asked.flatMap((analyzer) => toldBy(analyzer, mesh)),
    ...noticed(mesh, "HBK0101", notices?.document),
    ...noticed(mesh, "HBK0100", notices?.mesh),
  ];
  const told =
    names === undefined ? toldOnce(distinct(found, keyOf), (one) => objectOf(one, mesh)) : found;
  return told.sort(byGravity);
}

function named(name: string, all: readonly Analyzer[]): Analyzer {
  const analyzer = all.find((one) => one.name === name);
  if (analyzer === undefined) throw new Error(`no analyzer is called ${name}`);
  return analyzer;
}

function titleOf({ kind, namespace = "default", name }: ReadDocument): string {
  return `${kind} ${namespace}/${name}`;
}

/** Where it stands tells whom it concerns; the words say it themselves. */
function noticed(
  mesh: AnalyzedMesh,
  code: string,
  notices: readonly Notice[] = [],
): readonly Finding[] {
  return notices.map(({ source, path, message }) => {
    const words = path === "" ? message : `${path}: ${message}`;
    const object = objectAt(source, mesh);
    const namespace = object === undefined ? "" : namespaceOf(object);
    return findingAt({ source, resource: "", namespace }, code, [words]);
  });
}

function objectOf({ source }: Finding, mesh: AnalyzedMesh): string {
  return `${source.file} ${objectAt(source, mesh)?.title}`;
}

/** The last one that begins there or before, in that file. */
function objectAt(
  { file, line }: SourceLocation,
  { objects }: AnalyzedMesh,
): AnalyzedObject | undefined {
  return objects
    .filter((object) => object.file === file && object.root.line <= line)
    .sort((one, other) => other.root.line - one.root.line)[0];
}

function toldBy({ analyze, once }: Analyzer, mesh: AnalyzedMesh): readonly Finding[] {
  const found = [...analyze(mesh)].filter(({ source }) => source.file !== ASSUMED_GATEWAY.file);
  return once === true ? distinct(found, keyOfWords) : found;
}

/** Several analyzers ask the same, such as whether a Gateway has pods; what was told first stays. */
function distinct(found: readonly Finding[], key: (one: Finding) => string): Finding[] {
  const told = new Map<string, Finding>();
  for (const one of found) if (!told.has(key(one))) told.set(key(one), one);
  return [...told.values()];
}

function keyOf(finding: Finding): string {
  return `${keyOfWords(finding)} ${finding.source.file}:${finding.source.line}`;
}

function keyOfWords({ code, resource, message }: Finding): string {
  return `${code} ${resource} ${message}`;
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
