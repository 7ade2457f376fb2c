/** Bodies in protobuf, as `kubectl create` sends them. */
import { ProtobufObjectError, readProtobufObject } from "../../../../wire/kubernetes-objects.ts";
import { plainObject } from "../../kinds/defaults/plain-values.ts";
import { isJsonObject } from "../../kinds/json-access.ts";
import type { JsonObject, KubernetesObject } from "../../kinds/kubernetes-object.ts";
import { StatusError } from "../../objects/status-error.ts";

/** @throws StatusError 400 for what is none, or says what is not known here */
export function decodeProtobufBody(bytes: Uint8Array): KubernetesObject {
  const { apiVersion, kind, metadata, ...fields } = readObject(bytes);
  return plainObject({
    ...fields,
    apiVersion: String(apiVersion),
    kind: String(kind),
    metadata: isJsonObject(metadata) ? metadata : {},
  });
}

function readObject(bytes: Uint8Array): JsonObject {
  try {
    return readProtobufObject(bytes);
  } catch (error) {
    if (!(error instanceof ProtobufObjectError)) throw error;
    throw new StatusError(400, "BadRequest", { message: error.message });
  }
}
