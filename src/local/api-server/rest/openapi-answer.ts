/** What is served, as OpenAPI v3: kubectl explains fields by it, and learns that the server checks them. */
import { createHash } from "node:crypto";
import type { JsonObject } from "../kinds/kubernetes-object.ts";
import type { ServedKind } from "../kinds/served-kind.ts";
import { kindDefinition } from "../openapi/kind-definition.ts";
import { type OpenApiSchema, referenceTo } from "../openapi/openapi-schema.ts";
import { type ApiAnswer, value } from "./api-answer.ts";
import type { ApiRequest } from "./api-request.ts";
import { apiVersionOf, type KindIndex } from "./kind-index.ts";

interface GroupVersion {
  readonly group: string;
  readonly version: string;
}

interface PrintedDocument {
  readonly document: JsonObject;
  readonly hash: string;
}

/** Kinds do not change while a server runs, and the documents are large. */
const printed: WeakMap<KindIndex, Map<string, PrintedDocument>> = new WeakMap();

/**
 * Version 2, in protobuf, says nothing of any kind: kubectl then leaves it to us to look at the items of a List. It gives
 * up where there is none.
 */
const EMPTY_V2: ApiAnswer = {
  status: 200,
  text: "",
  contentType: "application/com.github.proto-openapi.spec.v2.v1.0+protobuf",
};

/** @returns undefined for what is not served */
export function openApiAnswer(
  kinds: KindIndex,
  { path, headers }: ApiRequest,
): ApiAnswer | undefined {
  const [, version, ...place] = path;
  const isProtobuf = headers.accept?.includes("proto-openapi.spec.v2") === true;
  if (version === "v2" && place.length === 0 && isProtobuf) return EMPTY_V2;
  if (version !== "v3") return undefined;
  if (place.length === 0) return value({ paths: Object.fromEntries(indexEntries(kinds)) });
  const groupVersion = groupVersions(kinds).find((one) => placeOf(one) === place.join("/"));
  if (groupVersion === undefined) return undefined;
  return value(documentOf(kinds, groupVersion).document);
}

function indexEntries(kinds: KindIndex): [string, JsonObject][] {
  return groupVersions(kinds).map((groupVersion) => {
    const place = placeOf(groupVersion);
    const { hash } = documentOf(kinds, groupVersion);
    return [place, { serverRelativeURL: `/openapi/v3/${place}?hash=${hash}` }];
  });
}

function groupVersions(kinds: KindIndex): readonly GroupVersion[] {
  return ["", ...kinds.groups].flatMap((group) =>
    kinds.versionsOf(group).map((version) => ({ group, version })),
  );
}

function placeOf({ group, version }: GroupVersion): string {
  return group === "" ? `api/${version}` : `apis/${group}/${version}`;
}

function documentOf(kinds: KindIndex, groupVersion: GroupVersion): PrintedDocument {
  const documents = printed.get(kinds) ?? new Map<string, PrintedDocument>();
  printed.set(kinds, documents);
  const known = documents.get(placeOf(groupVersion));
  if (known !== undefined) return known;
  const document = makeDocument(kinds, groupVersion);
  const hash = createHash("sha256").update(JSON.stringify(document)).digest("hex").toUpperCase();
  const made = { document, hash };
  documents.set(placeOf(groupVersion), made);
  return made;
}

function makeDocument(kinds: KindIndex, groupVersion: GroupVersion): JsonObject {
  const { group, version } = groupVersion;
  const schemas = new Map<string, OpenApiSchema>();
  const paths: [string, JsonObject][] = [];
  for (const kind of kinds.kindsOf(group, version)) {
    const { name, definitions } = kindDefinition(kind, apiVersionOf(group, version));
    for (const [each, schema] of definitions) schemas.set(each, schema);
    paths.push(...pathsOf(kind, { groupVersion, name }));
  }
  return {
    openapi: "3.0.0",
    info: { title: "Kubernetes", version: "v1.32.0+hauberk" },
    paths: Object.fromEntries(paths),
    components: { schemas: Object.fromEntries([...schemas].sort()) },
  };
}

/** What kubectl looks for: which kind is where, and that fields are checked and writes can be tried. */
function pathsOf(
  kind: ServedKind,
  { groupVersion, name }: { readonly groupVersion: GroupVersion; readonly name: string },
): [string, JsonObject][] {
  const { group, version } = groupVersion;
  const root = `/${placeOf(groupVersion)}/${kind.namespaced ? "namespaces/{namespace}/" : ""}${kind.plural}`;
  const own = { group, version, kind: kind.kind };
  const schema = { $ref: referenceTo(name) };
  const content = { "application/json": { schema } };
  const operation = (action: string, parameters: readonly JsonObject[] = []): JsonObject => ({
    "x-kubernetes-action": action,
    "x-kubernetes-group-version-kind": own,
    parameters,
    responses: { "200": { description: "OK", content } },
  });
  const written = [query("dryRun"), query("fieldManager"), query("fieldValidation")];
  return [
    [root, { get: operation("list"), post: operation("post", written) }],
    [
      `${root}/{name}`,
      {
        get: operation("get"),
        put: operation("put", written),
        patch: operation("patch", [...written, query("force")]),
        delete: operation("delete", [query("dryRun")]),
      },
    ],
  ];
}

function query(name: string): JsonObject {
  return { name, in: "query", schema: { type: "string", uniqueItems: true } };
}
