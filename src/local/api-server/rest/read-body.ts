/** Bodies as the API takes them: JSON, YAML, and the protobuf that some commands of kubectl send. */
import { plainValue } from "../../../api/plain-value.ts";
import { yamlDocuments } from "../../../api/yaml-documents.ts";
import { isJsonObject } from "../kinds/json-access.ts";
import type { JsonObject, JsonValue } from "../kinds/kubernetes-object.ts";
import { badRequest } from "../objects/refusals.ts";
import { StatusError } from "../objects/status-error.ts";
import type { ApiRequest } from "./api-request.ts";
import { boundedBody } from "./object-bounds.ts";

/** kubectl sends JSON; a reader of YAML takes ten times as long. */
const MAX_YAML_BYTES = 524_288;
const PROTOBUF = "application/vnd.kubernetes.protobuf";

export type ReadProtobuf = (bytes: Uint8Array) => JsonObject;

/** The media type of a body, without parameters. */
export function contentTypeOf({ headers }: ApiRequest): string {
  return (headers["content-type"] ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
}

/**
 * @returns undefined where there is no body
 * @throws StatusError 400, 413, 415
 */
export async function readObjectBody(
  request: ApiRequest,
  readProtobuf: ReadProtobuf,
): Promise<JsonObject | undefined> {
  const bytes = await request.readBody();
  if (bytes.length === 0) return undefined;
  const type = contentTypeOf(request);
  const body = type === PROTOBUF ? boundedBody(readProtobuf(bytes)) : readText(bytes, type);
  if (!isJsonObject(body)) throw badRequest("the body of the request is not an object");
  return body;
}

/**
 * A patch is whatever its type says.
 *
 * @throws StatusError 400, 413
 */
export async function readPatchBody(request: ApiRequest): Promise<JsonValue> {
  const bytes = await request.readBody();
  const isYaml = contentTypeOf(request).endsWith("+yaml");
  return readText(bytes, isYaml ? "application/yaml" : "application/json");
}

function readText(bytes: Buffer, type: string): JsonValue {
  switch (type) {
    case "":
    case "application/json":
      return boundedBody(parseJson(bytes));
    case "application/yaml":
      return boundedBody(looksLikeJson(bytes) ? parseJson(bytes) : parseYaml(bytes));
    default:
      throw new StatusError(415, "UnsupportedMediaType", {
        message:
          "the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf",
      });
  }
}

function looksLikeJson(bytes: Buffer): boolean {
  return /^\s*[[{]/.test(bytes.toString("utf8", 0, 64));
}

function parseJson(bytes: Buffer): JsonValue {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw badRequest("json parse error: the body is not valid JSON");
  }
}

function parseYaml(bytes: Buffer): JsonValue {
  if (bytes.length > MAX_YAML_BYTES)
    throw new StatusError(413, "RequestEntityTooLarge", {
      message: `Request entity too large: limit of YAML is ${MAX_YAML_BYTES}; send JSON`,
    });
  const [document, ...others] = yamlDocuments(bytes.toString("utf8"));
  if (document === undefined || others.length > 0)
    throw badRequest("yaml: expected one document in the body");
  if (document.root !== undefined) return plainValue(document.root);
  const [first] = document.problems;
  throw badRequest(`yaml: line ${first?.line ?? 1}: ${first?.problem ?? "cannot be read"}`);
}
