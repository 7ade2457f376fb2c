/**
 * Envoy's resources as bytes. Each is encoded once into the form in which responses carry it, so that a response is little
 * more than these bytes one after the other, whoever it is for.
 * Source: envoy.service.discovery.v3.Resource, google.protobuf.Any
 */
import { createHash } from "node:crypto";
import { HauberkError } from "../../runtime/hauberk-error.ts";
import { encodeJson } from "./encode-json.ts";
import { ENVOY_MESSAGES } from "./envoy-messages.ts";
import { bytesField, join, textField } from "./protobuf-fields.ts";

/** A resource is not what Envoy's messages allow: a defect of whoever made it. */
export class UnencodableResourceError extends HauberkError {
  readonly code = "HAUBERK_UNENCODABLE_RESOURCE";
}

export interface EncodedResource {
  readonly name: string;
  /** Hash of the content: equal resources have equal versions, in every process. */
  readonly version: string;
  /** Field `resources` of a `DeltaDiscoveryResponse`. */
  readonly inDelta: Uint8Array;
  /** Field `resources` of a `DiscoveryResponse`. */
  readonly inState: Uint8Array;
}

const VERSION_CHARACTERS = 16;
const TYPE_URL_PREFIX = "type.googleapis.com/";

/**
 * @param typeUrl as `type.googleapis.com/envoy.config.cluster.v3.Cluster`
 * @param json in the JSON of proto3
 * @throws UnencodableResourceError
 */
export function encodeResource(
  typeUrl: string,
  { name, json }: { readonly name: string; readonly json: object },
): EncodedResource {
  const schema = ENVOY_MESSAGES.getMessage(typeUrl.slice(TYPE_URL_PREFIX.length));
  if (schema === undefined) throw new UnencodableResourceError(`nothing is known of ${typeUrl}`);
  const value = encode(() => encodeJson(schema, json, ENVOY_MESSAGES), `${typeUrl} ${name}`);
  const version = createHash("sha256").update(value).digest("hex").slice(0, VERSION_CHARACTERS);
  const any = bytesField(2, join([textField(1, typeUrl), bytesField(2, value)]));
  const inDelta = bytesField(2, join([textField(3, name), textField(1, version), any]));
  return { name, version, inDelta, inState: inDelta.subarray(inDelta.length - any.length) };
}

function encode(make: () => Uint8Array, what: string): Uint8Array {
  try {
    return make();
  } catch (cause) {
    throw new UnencodableResourceError(`cannot encode ${what}`, { cause });
  }
}
