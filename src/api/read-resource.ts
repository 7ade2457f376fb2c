/** One document that is no list: which kind it is, who judges it, and who reads it. */
import { closestName } from "./closest-name.ts";
import { Fields } from "./decoder.ts";
import { KIND_PARSERS } from "./kind-parsers.ts";
import { ownKind, UNSUPPORTED_KINDS } from "./known-kinds.ts";
import { meshConfigDocument } from "./mesh-config-document.ts";
import type { ParseReport, Report } from "./parse-report.ts";
import { quoted } from "./quoted.ts";
import type { Resource, ResourceMeta } from "./resource.ts";
import { resourceMeta } from "./resource-meta.ts";
import { checkSchema } from "./schema/check-schema.ts";
import { cutToBounds } from "./schema/cut-to-bounds.ts";
import { schemaOfKind } from "./schema/schema-of-kind.ts";
import { webhookOfKind } from "./webhook/webhook-of-kind.ts";
import { textIn } from "./webhook/written-values.ts";
import type { YamlNode } from "./yaml-documents.ts";

interface Reading {
  readonly report: ParseReport;
  readonly file: string;
  /** Where it stands in its document: "", or `items[3]` of a list. */
  readonly path: string;
}

/** @returns undefined where it is none, or its kind is not ours; the report says why */
export function readResource(node: YamlNode, reading: Reading): Resource | undefined {
  const { report, path } = reading;
  const at = { line: node.line, path };
  if (node.type !== "map") {
    const problem = "is not a resource; expected a map with apiVersion and kind";
    report.at("document").issue(at, problem);
    return undefined;
  }
  const root = new Fields(node, { ...at, report });
  const resource = meshConfigDocument(root, reading) ?? readKind(root, reading);
  // The fields of a kind that is not ours are not judged either.
  if (resource !== undefined) root.end();
  return resource;
}

function readKind(root: Fields, { report, file }: Reading): Resource | undefined {
  const document = again(root, report.at("document"));
  const written = document.text("kind");
  if (written === undefined) return refuseMissingKind(document);
  const kind = ownKind(written, textIn(root, "apiVersion"));
  const parser = KIND_PARSERS.get(kind ?? "");
  if (kind === undefined || parser === undefined) return refuseKind(written, { root, report });
  const apiVersion = document.requiredText("apiVersion");
  if (!parser.apiVersions.includes(apiVersion)) {
    const served = parser.apiVersions;
    return refuseVersion({ kind: written, apiVersion, served }, { root, report });
  }
  const metadata = document.section("metadata");
  const meta = resourceMeta(metadata, { ...parser, apiVersion, file, at: root });
  metadata.end();
  root.accept(["apiVersion", "kind", "metadata", "status"]);
  root.section("metadata").acceptAll();
  const schema = schemaOfKind(kind);
  if (schema === undefined) return parser.parse(meta, root);
  checkSchema(schema, { node: root.map, path: root.path, report: report.at("schema") });
  const map = root.map;
  const cut = cutToBounds(schema, map);
  const fields = cut === map ? root : new Fields(cut, { line: root.line, path: root.path, report });
  checkWebhook(fields, { kind, meta, report: report.at("webhook") });
  const resource = parser.parse(meta, fields);
  // Unknown fields are the schema's matter (VAL-2), whoever has read the rest.
  if (fields !== root) root.acceptAll();
  root.section("spec").acceptAll();
  return resource;
}

/** The same map, for a reader whose words carry a level. */
function again({ map, line, path }: Fields, report: Report): Fields {
  return new Fields(map, { line, path, report });
}

/** Whatever the schema says: a user sees what either gate would say. */
function checkWebhook(
  fields: Fields,
  { kind, meta, report }: { kind: string; meta: ResourceMeta; report: Report },
): void {
  const { name, namespace, annotations } = meta;
  const root = again(fields, report);
  webhookOfKind(kind)?.({ name, namespace, annotations, root, spec: root.section("spec") });
}

interface Refusal {
  readonly root: Fields;
  readonly report: ParseReport;
}

interface AskedVersion {
  readonly kind: string;
  readonly apiVersion: string;
  readonly served: readonly string[];
}

function refuseVersion(
  { kind, apiVersion, served }: AskedVersion,
  { root, report }: Refusal,
): undefined {
  if (root.has("apiVersion")) {
    const expected = served.join(", ");
    const problem = `${quoted(apiVersion)} is not an apiVersion of ${kind}; expected ${expected}`;
    // Of other kinds we know fewer versions than there are.
    const judge = schemaOfKind(kind) === undefined ? root : again(root, report.at("document"));
    judge.report("apiVersion", problem);
  }
  return undefined;
}

function refuseMissingKind(document: Fields): undefined {
  if (!document.has("kind"))
    document.report("kind", "is missing: not a resource, and no MeshConfig either");
  return undefined;
}

function refuseKind(kind: string, { root, report }: Refusal): undefined {
  if (UNSUPPORTED_KINDS.has(kind)) {
    root.report("kind", `not supported yet: ${kind}`);
    return undefined;
  }
  const meant = closestName(kind, [...KIND_PARSERS.keys(), ...UNSUPPORTED_KINDS]);
  const hint = meant === undefined ? "" : `; did you mean ${meant}?`;
  // Anybody may define kinds, but in a group of their own.
  const judge = isOfIstio(root) ? again(root, report.at("document")) : root;
  judge.report("kind", `${quoted(kind)} is not a known kind${hint}`);
  return undefined;
}

const ISTIO_GROUP = /^[a-z]+\.istio\.io\//;

function isOfIstio(root: Fields): boolean {
  const apiVersion = root.map.entries.get("apiVersion")?.node;
  return apiVersion?.type === "scalar" && ISTIO_GROUP.test(apiVersion.text);
}
