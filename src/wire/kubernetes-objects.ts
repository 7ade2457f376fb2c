/**
 * Kubernetes' own encoding of objects in protobuf: four octets, then an envelope that says what is in it.
 * Source: apimachinery, runtime/serializer/protobuf.
 */
import {
  type DescField,
  type DescMessage,
  fromBinary,
  type JsonObject,
  type JsonValue,
  type Message,
  ScalarType,
} from "@bufbuild/protobuf";
import { type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import { HauberkError } from "../runtime/hauberk-error.ts";
import {
  ClusterRoleBindingSchema,
  ClusterRoleSchema,
  ConfigMapSchema,
  DeleteOptionsSchema,
  DeploymentSchema,
  JobSchema,
  NamespaceSchema,
  PodSchema,
  RoleBindingSchema,
  RoleSchema,
  SecretSchema,
  ServiceAccountSchema,
  ServiceSchema,
  TokenRequestSchema,
  UnknownSchema,
} from "./gen/hauberk/kubernetes/v1/objects_pb.ts";

/** Bytes that are no object of Kubernetes in protobuf, or none of a kind that is read so. */
export class ProtobufObjectError extends HauberkError {
  readonly code = "HAUBERK_PROTOBUF_OBJECT";
}

const MAGIC = Buffer.from("k8s\0");

/** By kind: of which version does not matter to the numbers of these. */
const SCHEMAS: Readonly<Record<string, DescMessage>> = {
  ClusterRole: ClusterRoleSchema,
  ClusterRoleBinding: ClusterRoleBindingSchema,
  ConfigMap: ConfigMapSchema,
  DeleteOptions: DeleteOptionsSchema,
  Deployment: DeploymentSchema,
  Job: JobSchema,
  Namespace: NamespaceSchema,
  Pod: PodSchema,
  Role: RoleSchema,
  RoleBinding: RoleBindingSchema,
  Secret: SecretSchema,
  Service: ServiceSchema,
  ServiceAccount: ServiceAccountSchema,
  TokenRequest: TokenRequestSchema,
};

/**
 * @returns the object as JSON; texts that are empty, and numbers that are 0, are as absent as the encoding has them
 * @throws ProtobufObjectError for what is no such object, of a kind that is not known here, or says what is not
 */
export function readProtobufObject(bytes: Uint8Array): JsonObject {
  if (!MAGIC.equals(bytes.subarray(0, MAGIC.length))) {
    throw new ProtobufObjectError("the body does not begin as Kubernetes' protobuf does");
  }
  const { typeMeta, raw, contentEncoding } = parsed(UnknownSchema, bytes.subarray(MAGIC.length));
  const { apiVersion = "", kind = "" } = typeMeta ?? {};
  const schema = Object.hasOwn(SCHEMAS, kind) ? SCHEMAS[kind] : undefined;
  if (schema === undefined || (contentEncoding ?? "") !== "") {
    throw new ProtobufObjectError(`${kind} of ${apiVersion} is not taken as protobuf: send JSON`);
  }
  const message = reflect(schema, parsed(schema, raw ?? new Uint8Array()));
  return { ...jsonOf(message), apiVersion, kind };
}

function parsed<Schema extends DescMessage>(schema: Schema, bytes: Uint8Array) {
  try {
    return fromBinary(schema, bytes);
  } catch (cause) {
    throw new ProtobufObjectError(`the body is no ${schema.name}`, { cause });
  }
}

function jsonOf(message: ReflectMessage): JsonObject {
  refuseUnknown(message);
  const json: Record<string, JsonValue> = {};
  for (const field of message.fields) {
    if (field.name === "status" || !message.isSet(field)) continue;
    const value = fieldOf(message, field);
    if (value !== undefined) json[field.name] = value;
  }
  return json;
}

function fieldOf(message: ReflectMessage, field: DescField): JsonValue | undefined {
  switch (field.fieldKind) {
    case "message":
      return messageOf(message.get(field));
    case "list":
      return [...message.get(field)].map((item) => itemOf(item, field.scalar) ?? null);
    case "map": {
      const entries = [...message.get(field)];
      return Object.fromEntries(
        entries.map(([key, item]) => [String(key), itemOf(item, field.scalar) ?? null]),
      );
    }
    case "scalar":
      return scalarOf(message.get(field), field.scalar);
    default:
      return undefined;
  }
}

function itemOf(item: unknown, scalar: ScalarType | undefined): JsonValue | undefined {
  return scalar === undefined ? messageOf(item as ReflectMessage) : scalarOf(item, scalar);
}

/** Some have another form in JSON than their fields. */
function messageOf(message: ReflectMessage): JsonValue | undefined {
  const json = jsonOf(message);
  switch (message.desc.name) {
    case "IntOrString":
      return json["type"] === 1 ? (json["strVal"] ?? "") : (json["intVal"] ?? 0);
    case "Quantity":
      return json["string"] ?? "0";
    case "Time":
      return timeOf(json);
    default:
      return json;
  }
}

const MAX_SECONDS = 253_402_300_799; // 9999-12-31

/** The time before all others is none. */
function timeOf({ seconds = 0 }: JsonObject): JsonValue | undefined {
  if (typeof seconds !== "number" || seconds <= 0 || seconds > MAX_SECONDS) return undefined;
  return new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
}

function scalarOf(value: unknown, scalar: ScalarType): JsonValue | undefined {
  if (typeof value === "bigint") return safeNumber(value);
  if (scalar === ScalarType.BYTES) return Buffer.from(value as Uint8Array).toString("base64");
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean"
    ? value
    : undefined;
}

function safeNumber(value: bigint): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) {
    throw new ProtobufObjectError(`${value} is more than a number here holds`);
  }
  return number;
}

/** Fields of types are written even when they say nothing: what is nothing may be unknown, what says something not. */
function refuseUnknown({ message, desc }: ReflectMessage): void {
  for (const { no, data } of (message as Message).$unknown ?? []) {
    if (data.every((octet) => octet === 0)) continue;
    throw new ProtobufObjectError(`field ${no} of ${desc.name} is not known here: send JSON`);
  }
}
