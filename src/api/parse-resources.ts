/** The one door from text to resources: YAML in; typed resources, issues and notices out. */
import { Fields } from "./decoder.ts";
import { KIND_PARSERS } from "./kind-parsers.ts";
import { ownKind } from "./known-kinds.ts";
import { ParseReport, toldOnce } from "./parse-report.ts";
import { type PlainValue, plainValue } from "./plain-value.ts";
import { readResource } from "./read-resource.ts";
import type { Issue, Notice, Resource, SourceLocation } from "./resource.ts";
import { schemaOfKind } from "./schema/schema-of-kind.ts";
import { type YamlDocument, type YamlMap, type YamlNode, yamlDocuments } from "./yaml-documents.ts";

export interface ParsedResources {
  readonly resources: readonly Resource[];
  readonly issues: readonly Issue[];
  readonly notices: readonly Notice[];
}

/** What one document says, with everything that is wrong with it: a fault that two checks find is there twice. */
export interface ReadDocument {
  /** As written; undefined where the text is no resource. */
  readonly kind: string | undefined;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  /** Where it begins; of one that cannot be read, where its first fault is. */
  readonly source: SourceLocation;
  /** The whole document as JSON; undefined where it cannot be read. */
  readonly value: PlainValue | undefined;
  /** Whether Istio's gates were asked: they know the kinds of Istio alone. */
  readonly gates: "asked" | "not asked";
  /** Empty when there are issues. */
  readonly resources: readonly Resource[];
  readonly issues: readonly Issue[];
  readonly notices: readonly Notice[];
}

/**
 * Reads all documents of a text, `kind: List` included. Never throws.
 *
 * @param file as it shall appear in issues and in `meta.source`
 * @returns every issue of every document; a document with an issue gives no resource
 */
export function parseResources(text: string, file: string): ParsedResources {
  return resourcesOf(readDocuments(text, file));
}

/** What documents say together. */
export function resourcesOf(documents: readonly ReadDocument[]): ParsedResources {
  return {
    resources: documents.flatMap(({ resources }) => resources),
    issues: documents.flatMap(({ issues }) => toldOnce(issues)),
    notices: documents.flatMap(({ notices }) => notices),
  };
}

/**
 * As `parseResources`, document by document.
 *
 * @param lineOf turns a line of `text`, from 1, into the line of the file
 */
export function readDocuments(
  text: string,
  file: string,
  lineOf?: (line: number) => number,
): readonly ReadDocument[] {
  return yamlDocuments(text, lineOf).flatMap((document) => readDocument(document, file));
}

function readDocument({ root, problems }: YamlDocument, file: string): readonly ReadDocument[] {
  if (root !== undefined) {
    return isList(root) ? readList(root, file) : [readItem(root, { file, path: "" })];
  }
  const report = new ParseReport(file);
  for (const { line, problem } of problems) {
    report.at("document").issue({ line, path: "" }, problem);
  }
  return [documentOf({ report, file, line: problems[0]?.line ?? 1 })];
}

function isList(root: YamlNode): root is YamlMap {
  return writtenText(root, ["kind"]) === "List" && writtenText(root, ["apiVersion"]) === "v1";
}

/** As many as documents of a text. */
const MAX_ITEMS = 20_000;

/** Each item as if it were a document; the list itself only where there is something to say of it, or nothing in it. */
function readList(list: YamlMap, file: string): readonly ReadDocument[] {
  const report = new ParseReport(file);
  const root = new Fields(list, { line: list.line, path: "", report });
  root.accept(["apiVersion", "kind", "metadata", "items"]);
  const items = root.list("items");
  for (const item of items) item.acceptAll();
  if (items.length > MAX_ITEMS) root.report("items", `has more than ${MAX_ITEMS} items`);
  root.end();
  const documents = items.slice(0, MAX_ITEMS).map(({ map, path }) => readItem(map, { file, path }));
  if (documents.length > 0 && report.issues.length === 0) return documents;
  return [documentOf({ report, file, line: list.line, root: list }), ...documents];
}

function readItem(
  root: YamlNode,
  { file, path }: { readonly file: string; readonly path: string },
): ReadDocument {
  const report = new ParseReport(file);
  const resource = readResource(root, { report, file, path });
  const resources = resource === undefined ? [] : [resource];
  return documentOf({ report, file, line: root.line, root, resources });
}

function documentOf({
  report,
  file,
  line,
  root,
  resources = [],
}: {
  readonly report: ParseReport;
  readonly file: string;
  readonly line: number;
  readonly root?: YamlNode;
  readonly resources?: readonly Resource[];
}): ReadDocument {
  return {
    kind: writtenText(root, ["kind"]),
    namespace: writtenText(root, ["metadata", "namespace"]),
    name: writtenText(root, ["metadata", "name"]),
    source: { file, line },
    value: root === undefined ? undefined : plainValue(root),
    gates: isGated(root) ? "asked" : "not asked",
    resources: report.issues.length === 0 ? resources : [],
    issues: report.issues,
    notices: report.notices(line),
  };
}

function isGated(root: YamlNode | undefined): boolean {
  const apiVersion = writtenText(root, ["apiVersion"]) ?? "";
  const kind = ownKind(writtenText(root, ["kind"]) ?? "", apiVersion) ?? "";
  const served = KIND_PARSERS.get(kind)?.apiVersions.includes(apiVersion) ?? false;
  return served && schemaOfKind(kind) !== undefined;
}

function writtenText(node: YamlNode | undefined, path: readonly string[]): string | undefined {
  const [name, ...rest] = path;
  if (name === undefined) {
    return node?.type === "scalar" && typeof node.value === "string" ? node.value : undefined;
  }
  return node?.type === "map" ? writtenText(node.entries.get(name)?.node, rest) : undefined;
}
