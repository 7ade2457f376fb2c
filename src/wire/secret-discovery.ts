/**
 * Envoy's secret discovery (state of the world) as an agent beside it reads and writes it: there is one in each pod, and it
 * loads no description of all that these messages can hold.
 * Source: envoy/service/discovery/v3/discovery.proto, envoy/extensions/transport_sockets/tls/v3/secret.proto
 */
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { StreamCodec } from "./byte-streams.ts";

/** What Envoy asks for, or answers. */
export interface SecretRequest {
  /** That it took over last; "" before the first. */
  readonly versionInfo: string;
  readonly names: readonly string[];
  /** Of the response that it answers; "" where it answers none. */
  readonly nonce: string;
  /** Why it refuses that response; absent: it does not. */
  readonly refusal?: string;
}

export interface SecretResponse {
  readonly version: string;
  readonly nonce: string;
  readonly secrets: readonly Secret[];
}

/** What is in PEM, or the file that holds it: Envoy reads that again when it is replaced. */
export type PemSource = string | { readonly file: string };

export type Secret =
  /** Never logged. */
  | {
      readonly name: string;
      readonly kind: "certificate";
      readonly chainPem: PemSource;
      readonly privateKeyPem: PemSource;
    }
  /** Lists of what is revoked are "" where there are none. */
  | {
      readonly name: string;
      readonly kind: "trust";
      readonly rootsPem: PemSource;
      readonly crlsPem: PemSource;
    };

export const STREAM_SECRETS: StreamCodec<SecretRequest, SecretResponse> = {
  service: "envoy.service.secret.v3.SecretDiscoveryService",
  method: "StreamSecrets",
  read: readRequest,
  write: writeResponse,
};

const SECRET_TYPE = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret";

/** @throws Error if it is no message of protobuf */
function readRequest(bytes: Uint8Array): SecretRequest {
  let [versionInfo, nonce] = ["", ""];
  let refusal: string | undefined;
  const names: string[] = [];
  const reader = new BinaryReader(bytes);
  readFields(reader, bytes.length, (field) => {
    if (field === 1) versionInfo = reader.string();
    else if (field === 3) names.push(reader.string());
    else if (field === 5) nonce = reader.string();
    else if (field === 6) refusal = readStatusMessage(reader);
    else return false;
    return true;
  });
  return { versionInfo, names, nonce, ...(refusal !== undefined && { refusal }) };
}

/** Of `google.rpc.Status`. */
function readStatusMessage(reader: BinaryReader): string {
  let message = "";
  const length = reader.uint32();
  readFields(reader, reader.pos + length, (field) => {
    if (field !== 2) return false;
    message = reader.string();
    return true;
  });
  return message;
}

/** @param read takes a field that has a length, or returns false for it to be skipped */
function readFields(reader: BinaryReader, end: number, read: (field: number) => boolean): void {
  while (reader.pos < end) {
    const [field, wireType] = reader.tag();
    const isTaken = wireType === WireType.LengthDelimited && read(field);
    if (!isTaken) reader.skip(wireType, field);
  }
}

function writeResponse({ version, nonce, secrets }: SecretResponse): Uint8Array {
  const writer = new BinaryWriter();
  text(writer, 1, version);
  for (const secret of secrets) {
    writer.tag(2, WireType.LengthDelimited).fork();
    text(writer, 1, SECRET_TYPE);
    writer.tag(2, WireType.LengthDelimited).bytes(secretBytes(secret));
    writer.join();
  }
  text(writer, 4, SECRET_TYPE);
  text(writer, 5, nonce);
  return writer.finish();
}

function secretBytes(secret: Secret): Uint8Array {
  const writer = new BinaryWriter();
  text(writer, 1, secret.name);
  if (secret.kind === "certificate") {
    writer.tag(2, WireType.LengthDelimited).fork();
    dataSource(writer, 1, secret.chainPem);
    dataSource(writer, 2, secret.privateKeyPem);
  } else {
    writer.tag(4, WireType.LengthDelimited).fork();
    dataSource(writer, 1, secret.rootsPem);
    if (secret.crlsPem !== "") dataSource(writer, 7, secret.crlsPem);
  }
  writer.join();
  return writer.finish();
}

/** A `DataSource`. */
function dataSource(writer: BinaryWriter, field: number, pem: PemSource): void {
  writer.tag(field, WireType.LengthDelimited).fork();
  if (typeof pem === "string")
    writer.tag(2, WireType.LengthDelimited).bytes(new TextEncoder().encode(pem));
  else text(writer, 1, pem.file);
  writer.join();
}

function text(writer: BinaryWriter, field: number, value: string): void {
  if (value !== "") writer.tag(field, WireType.LengthDelimited).string(value);
}
