/**
 * YAML text as plain trees whose every node knows its line. With `yaml-composition.ts`, the door to the YAML library.
 * Scalars are read as Kubernetes reads them (YAML 1.1 booleans and octal numbers), sizes are bounded.
 */
import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Pair,
  Scalar,
  type YAMLMap,
  type YAMLSeq,
} from "yaml";
import { describeError } from "../runtime/hauberk-error.ts";
import type { ValueDisplay } from "./describe-node.ts";
import { quoted, shortened } from "./quoted.ts";
import { composedDocuments, MAX_DEPTH, YamlLimitError } from "./yaml-composition.ts";

export interface YamlScalar {
  readonly type: "scalar";
  readonly line: number;
  readonly value: string | number | boolean | null;
  /** As written, for messages. */
  readonly text: string;
  /** Line in the file of each line of a multi-line text, given its number from 1. */
  readonly lineOfText: (line: number) => number;
}

export interface YamlList {
  readonly type: "list";
  readonly line: number;
  readonly items: readonly YamlNode[];
}

export interface YamlMap {
  readonly type: "map";
  readonly line: number;
  readonly entries: ReadonlyMap<string, YamlEntry>;
}

export interface YamlEntry {
  /** Line of the key. */
  readonly line: number;
  readonly node: YamlNode;
}

export type YamlNode = YamlScalar | YamlList | YamlMap;

export interface YamlProblem {
  readonly line: number;
  readonly problem: string;
}

export type YamlDocument =
  | { readonly root: YamlNode; readonly problems: readonly [] }
  | { readonly root?: never; readonly problems: readonly YamlProblem[] };

/** Most nodes of one document that stand there only because an alias repeats them. */
const MAX_REPEATED_NODES = 20_000;
/** What is wrong beyond that is not even looked for. */
const MAX_PROBLEMS = 1_000;

/**
 * The documents of a text, without the empty ones; one that cannot be read has problems instead of a root.
 *
 * @param lineOf turns a line of `text`, from 1, into the line to report
 */
export function yamlDocuments(
  text: string,
  lineOf: (line: number) => number = (line) => line,
): readonly YamlDocument[] {
  const counter = new LineCounter();
  const lineAt = (offset: number): number => lineOf(Math.max(1, counter.linePos(offset).line));
  const documents: YamlDocument[] = [];
  const options = { lineAt, display: displayOf(text) };
  try {
    for (const document of composedDocuments(text, counter)) {
      documents.push(...readDocument(document, options));
    }
  } catch (error) {
    documents.push({ problems: [failure(error, options)] });
  }
  return documents;
}

interface ReadingOptions {
  readonly lineAt: (offset: number) => number;
  readonly display: ValueDisplay;
}

/** What cannot be read has no kind: where a Secret may be meant, no message repeats what stands there. */
function displayOf(text: string): ValueDisplay {
  return text.includes("Secret") ? "concealed" : "shown";
}

/** The library's messages may repeat the text; its codes never do. */
function syntaxProblem(
  { message, code }: { readonly message: string; readonly code: string },
  display: ValueDisplay,
): string {
  const said = display === "shown" ? message : code.toLowerCase().replaceAll("_", " ");
  return `is not valid YAML: ${shortened(said)}`;
}

function failure(error: unknown, { lineAt, display }: ReadingOptions): YamlProblem {
  if (error instanceof YamlLimitError)
    return { line: lineAt(error.offset), problem: error.message };
  const said = display === "shown" ? `: ${shortened(describeError(error))}` : "";
  return { line: lineAt(0), problem: `cannot be read as YAML${said}` };
}

function readDocument(document: Document.Parsed, options: ReadingOptions): YamlDocument[] {
  const { lineAt, display } = options;
  // What follows the first fault is mostly its consequence: one typing error, one fault.
  const [first] = [...document.errors, ...document.warnings].sort(
    (one, other) => one.pos[0] - other.pos[0],
  );
  if (first !== undefined) {
    const problem = syntaxProblem(first, display);
    return [{ problems: [{ line: lineAt(first.pos[0]), problem }] }];
  }
  const reader = new NodeReader(options);
  const root = reader.read(document.contents, {
    line: lineAt(document.range[0]),
    depth: 0,
    written: "here",
  });
  if (reader.problems.length > 0) return [{ problems: reader.problems }];
  return root.type === "scalar" && root.value === null ? [] : [{ root, problems: [] }];
}

interface Place {
  /** Line to report for a node that has no text of its own. */
  readonly line: number;
  readonly depth: number;
  /** Whether the node stands here only because an alias repeats it. */
  readonly written: "here" | "elsewhere";
}

class NodeReader {
  readonly problems: YamlProblem[] = [];
  readonly #lineAt: (offset: number) => number;
  readonly #anchors = new Map<string, unknown>();
  readonly #targets = new Map<Alias, unknown>();
  readonly #refused = new Set<string>();
  readonly #display: ValueDisplay;
  #repeated = 0;
  constructor({ lineAt, display }: ReadingOptions) {
    this.#lineAt = lineAt;
    this.#display = display;
  }

  read(node: unknown, place: Place): YamlNode {
    if (this.problems.length >= MAX_PROBLEMS) return nothing(place.line);
    if (place.depth > MAX_DEPTH) return this.#refuse(place, `is nested deeper than ${MAX_DEPTH}`);
    if (place.written === "elsewhere") this.#repeated++;
    if (this.#repeated > MAX_REPEATED_NODES) {
      return this.#refuse(place, `repeats more than ${MAX_REPEATED_NODES} values by aliases`);
    }
    if (isAlias(node)) return this.#alias(node, place);
    if (!isNode(node)) return nothing(place.line);
    if (node.anchor !== undefined && place.written === "here") this.#anchors.set(node.anchor, node);
    if (isScalar(node)) return this.#scalar(node, place);
    if (isMap(node)) return this.#map(node, place);
    return isSeq(node) ? this.#list(node, place) : nothing(place.line);
  }

  /** Reports once: what follows a broken limit is not worth telling. */
  #refuse({ line }: Place, problem: string): YamlNode {
    if (!this.#refused.has(problem)) this.#tell(line, problem);
    this.#refused.add(problem);
    return nothing(line);
  }

  #tell(line: number, problem: string): void {
    if (this.problems.length < MAX_PROBLEMS) this.problems.push({ line, problem });
  }

  #lineOf(node: { range?: readonly number[] | null | undefined }, place: Place): number {
    const start = node.range?.[0];
    return start === undefined ? place.line : this.#lineAt(start);
  }

  #alias(alias: Alias, place: Place): YamlNode {
    const line = this.#lineOf(alias, place);
    const target = this.#target(alias);
    if (target === undefined) {
      const name = this.#display === "shown" ? `*${shortened(alias.source)}` : "an alias";
      return this.#refuse({ ...place, line }, `${name} is unknown`);
    }
    return this.read(target, { line, depth: place.depth + 1, written: "elsewhere" });
  }

  /** What an alias stood for where it was written: an anchor may be given anew further down. */
  #target(alias: Alias): unknown {
    const target = this.#targets.get(alias) ?? this.#anchors.get(alias.source);
    this.#targets.set(alias, target);
    return target;
  }

  #list(list: YAMLSeq, place: Place): YamlList {
    const line = this.#lineOf(list, place);
    const inside = { ...place, line, depth: place.depth + 1 };
    return { type: "list", line, items: list.items.map((item) => this.read(item, inside)) };
  }

  #map(map: YAMLMap, place: Place): YamlMap {
    const line = this.#lineOf(map, place);
    const entries = new Map<string, YamlEntry>();
    const merged: YamlNode[] = [];
    for (const pair of map.items) {
      const key = this.#key(pair, { ...place, line });
      const node = this.read(pair.value, { ...place, line: key.line, depth: place.depth + 1 });
      if (key.merges) merged.push(node);
      else if (entries.has(key.name)) {
        this.#tell(key.line, `${quoted(key.name)} is given twice`);
      } else entries.set(key.name, { line: key.line, node });
    }
    for (const node of merged) this.#merge(node, entries);
    return { type: "map", line, entries };
  }

  #key({ key }: Pair, place: Place): { name: string; line: number; merges: boolean } {
    const target = isAlias(key) ? this.#target(key) : key;
    const line = isNode(key) ? this.#lineOf(key, place) : place.line;
    if (!isScalar(target)) {
      this.#tell(line, "has a key that is not plain text");
      return { name: "", line, merges: false };
    }
    if (target.anchor !== undefined) this.#anchors.set(target.anchor, target);
    const merges = target.value === "<<" && target.type === Scalar.PLAIN;
    return { name: String(target.value), line, merges };
  }

  /** `<<: *base` and `<<: [*a, *b]`: what the map says itself, or an earlier base says, wins. */
  #merge(node: YamlNode, entries: Map<string, YamlEntry>): void {
    for (const base of node.type === "list" ? node.items : [node]) {
      if (base.type !== "map") {
        this.#tell(base.line, "<< merges only maps");
        continue;
      }
      for (const [name, entry] of base.entries) {
        if (!entries.has(name)) entries.set(name, entry);
      }
    }
  }

  #scalar(scalar: Scalar, place: Place): YamlNode {
    const line = this.#lineOf(scalar, place);
    const value = scalarValue(scalar);
    if (value === undefined) {
      return this.#refuse(
        { ...place, line },
        "has a value that is neither text, number nor boolean",
      );
    }
    const literal = scalar.type === Scalar.BLOCK_LITERAL;
    return {
      type: "scalar",
      line,
      value,
      text: scalar.source ?? String(value),
      lineOfText: (inner) => (literal ? line + inner : line),
    };
  }
}

function nothing(line: number): YamlScalar {
  return { type: "scalar", line, value: null, text: "", lineOfText: () => line };
}

const YES = /^(y|Y|yes|Yes|YES|on|On|ON)$/;
const NO = /^(n|N|no|No|NO|off|Off|OFF)$/;
const OCTAL = /^0[0-7]+$/;

function scalarValue({ value, type, source }: Scalar): YamlScalar["value"] | undefined {
  if (type === Scalar.PLAIN && source !== undefined) {
    if (typeof value === "string" && YES.test(source)) return true;
    if (typeof value === "string" && NO.test(source)) return false;
    if (typeof value === "number" && OCTAL.test(source)) return Number.parseInt(source, 8);
  }
  if (value === null || typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean") return value;
  return undefined;
}
