/** The one door from text to resources: YAML in; typed resources, issues and notices out. */
import { closestName } from "./closest-name.ts";
import { Fields } from "./decoder.ts";
import { KIND_PARSERS } from "./kind-parsers.ts";
import { isUnsupportedGroup, UNSUPPORTED_KINDS } from "./known-kinds.ts";
import { meshConfigDocument } from "./mesh-config-document.ts";
import { ParseReport, type Report, toldOnce } from "./parse-report.ts";
import { quoted } from "./quoted.ts";
import type { Issue, Notice, Resource, ResourceMeta, SourceLocation } from "./resource.ts";
import { resourceMeta } from "./resource-meta.ts";
import { checkSchema } from "./schema/check-schema.ts";
import { schemaOfKind } from "./schema/schema-of-kind.ts";
import { webhookOfKind } from "./webhook/webhook-of-kind.ts";
import { type YamlDocument, type YamlNode, yamlDocuments } from "./yaml-documents.ts";

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
  const documents = readDocuments(text, file);
  return {
    resources: documents.flatMap(({ resources }) => resources),
    issues: documents.flatMap(({ issues }) => toldOnce(issues)),
    notices: documents.flatMap(({ notices }) => notices),
  };
}

/** As `parseResources`, document by document. */
export function readDocuments(text: string, file: string): readonly ReadDocument[] {
  return yamlDocuments(text).map((document) => readDocument(document, file));
}

function readDocument({ root, problems }: YamlDocument, file: string): ReadDocument {
  const report = new ParseReport(file);
  for (const { line, problem } of problems) report.issue({ line, path: "" }, problem);
  const resources = root === undefined ? [] : readNode(root, { report, file });
  return {
    kind: writtenText(root, ["kind"]),
    namespace: writtenText(root, ["metadata", "namespace"]),
    name: writtenText(root, ["metadata", "name"]),
    source: { file, line: root?.line ?? problems[0]?.line ?? 1 },
    resources: report.issues.length === 0 ? resources : [],
    issues: report.issues.toSorted((one, other) => one.source.line - other.source.line),
    notices: report.notices(root?.line ?? 1),
  };
}

function writtenText(node: YamlNode | undefined, path: readonly string[]): string | undefined {
  const [name, ...rest] = path;
  if (name === undefined) {
    return node?.type === "scalar" && typeof node.value === "string" ? node.value : undefined;
  }
  return node?.type === "map" ? writtenText(node.entries.get(name)?.node, rest) : undefined;
}

interface Reading {
  readonly report: ParseReport;
  readonly file: string;
}

function readNode(node: YamlNode, { report, file }: Reading): readonly Resource[] {
  if (node.type !== "map") {
    report.issue(
      { line: node.line, path: "" },
      "is not a resource; expected a map with apiVersion and kind",
    );
    return [];
  }
  const root = new Fields(node, { line: node.line, path: "", report });
  const resources = readList(root, { report, file });
  if (resources !== "not-read") root.end();
  return resources === "not-read" ? [] : resources;
}

/** "not-read" when the kind is not ours, so that its fields are not judged either. */
function readList(root: Fields, reading: Reading): readonly Resource[] | "not-read" {
  const kind = root.text("kind");
  if (kind !== "List" || root.text("apiVersion") !== "v1") return readResource(root, reading);
  root.accept(["metadata"]);
  return root.list("items").flatMap((item) => {
    const resources = readResource(item, reading);
    if (resources === "not-read") item.acceptAll();
    return resources === "not-read" ? [] : resources;
  });
}

function readResource(root: Fields, { report, file }: Reading): readonly Resource[] | "not-read" {
  const mesh = meshConfigDocument(root, { report, file });
  if (mesh !== undefined) return [mesh];
  const kind = root.text("kind");
  if (kind === undefined) return refuseMissingKind(root);
  const parser = KIND_PARSERS.get(kind);
  if (parser === undefined) return refuseKind(root, kind);
  const apiVersion = root.requiredText("apiVersion");
  if (!parser.apiVersions.includes(apiVersion)) {
    return refuseVersion(root, { kind, apiVersion, served: parser.apiVersions });
  }
  root.accept(["status"]);
  const meta = resourceMeta(root.section("metadata"), { ...parser, apiVersion, file, at: root });
  const schema = schemaOfKind(kind);
  if (schema === undefined) return [parser.parse(meta, root)];
  checkSchema(schema, { node: root.map, path: root.path, report: report.at("schema") });
  checkWebhook(root, { kind, meta, report: report.at("webhook") });
  const resource = parser.parse(meta, root);
  // Unknown fields are the schema's matter (VAL-2), whoever has read the rest.
  root.section("spec").acceptAll();
  return [resource];
}

/** Whatever the schema says: a user sees what either gate would say. */
function checkWebhook(
  root: Fields,
  { kind, meta, report }: { kind: string; meta: ResourceMeta; report: Report },
): void {
  const { name, namespace, annotations } = meta;
  const checked = new Fields(root.map, { line: root.line, path: root.path, report });
  const request = { name, namespace, annotations, root: checked, spec: checked.section("spec") };
  webhookOfKind(kind)?.(request);
}

function refuseVersion(
  root: Fields,
  {
    kind,
    apiVersion,
    served,
  }: { readonly kind: string; readonly apiVersion: string; readonly served: readonly string[] },
): "not-read" {
  if (isUnsupportedGroup(kind, apiVersion)) {
    root.report("kind", `not supported yet: ${kind} of ${apiVersion}`);
  } else if (root.has("apiVersion")) {
    const expected = served.join(", ");
    root.report(
      "apiVersion",
      `${quoted(apiVersion)} is not an apiVersion of ${kind}; expected ${expected}`,
    );
  }
  return "not-read";
}

function refuseMissingKind(root: Fields): "not-read" {
  if (!root.has("kind"))
    root.report("kind", "is missing: not a resource, and no MeshConfig either");
  return "not-read";
}

function refuseKind(root: Fields, kind: string): "not-read" {
  if (UNSUPPORTED_KINDS.has(kind)) {
    root.report("kind", `not supported yet: ${kind}`);
    return "not-read";
  }
  const meant = closestName(kind, [...KIND_PARSERS.keys(), ...UNSUPPORTED_KINDS]);
  const hint = meant === undefined ? "" : `; did you mean ${meant}?`;
  root.report("kind", `${quoted(kind)} is not a known kind${hint}`);
  return "not-read";
}
