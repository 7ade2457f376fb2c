/**
 * The question of Envoy's rate limit service, and its answer, as a client writes and reads them: a sidecar asks while a request
 * waits, and loads no description of all that these messages can hold.
 * Source: envoy/service/ratelimit/v3/rls.proto
 */
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { BytesMethod } from "./grpc-client.ts";

export interface RateLimitQuestion {
  readonly domain: string;
  /** Entries of each descriptor, by name; empty texts are left out. */
  readonly descriptors: readonly (readonly (readonly [name: string, value: string])[])[];
  /** Counted of each descriptor. */
  readonly hits: number;
}

/** Of one descriptor. */
export interface RateLimitStatus {
  /** Of those asked for; "unlimited" where the service knows no such limit. */
  readonly code: "ok" | "over" | "unlimited";
  readonly remaining: number;
  /** Until there is one more. */
  readonly resetMs: number;
  /** How many were given, in advance too; absent: the service does not say. */
  readonly given: number | undefined;
}

/** In the order of the descriptors. */
export const SHOULD_RATE_LIMIT: BytesMethod<RateLimitQuestion, readonly RateLimitStatus[]> = {
  path: "/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit",
  write: writeQuestion,
  read: readAnswer,
};

/** Tells the service that what it gives in advance is used. */
export const ADVANCE_HEADER = "x-hauberk-advance";

const OK = 1;
const OVER_LIMIT = 2;

function writeQuestion({ domain, descriptors, hits }: RateLimitQuestion): Uint8Array {
  const writer = new BinaryWriter();
  writer.tag(1, WireType.LengthDelimited).string(domain);
  for (const entries of descriptors) {
    writer.tag(2, WireType.LengthDelimited).fork();
    for (const [name, value] of entries) {
      if (value === "") continue;
      writer.tag(1, WireType.LengthDelimited).fork();
      writer.tag(1, WireType.LengthDelimited).string(name);
      writer.tag(2, WireType.LengthDelimited).string(value);
      writer.join();
    }
    writer.join();
  }
  writer.tag(3, WireType.Varint).uint32(hits);
  return writer.finish();
}

type ReadField = (field: number, wireType: WireType) => boolean;

/** @throws Error if it is no message of protobuf */
function readAnswer(bytes: Uint8Array): readonly RateLimitStatus[] {
  const statuses: RateLimitStatus[] = [];
  const reader = new BinaryReader(bytes);
  readFields(reader, bytes.length, (field, wireType) => {
    if (field !== 2 || wireType !== WireType.LengthDelimited) return false;
    statuses.push(readStatus(reader));
    return true;
  });
  return statuses;
}

function readStatus(reader: BinaryReader): RateLimitStatus {
  let [code, remaining, resetMs] = [0, 0, 0];
  let given: number | undefined;
  let isLimited = false;
  readMessage(reader, (field, wireType) => {
    const isVarint = wireType === WireType.Varint;
    const isMessage = wireType === WireType.LengthDelimited;
    if (field === 1 && isVarint) code = reader.uint32();
    else if (field === 2 && isMessage) {
      isLimited = true;
      return false;
    } else if (field === 3 && isVarint) remaining = reader.uint32();
    else if (field === 4 && isMessage) resetMs = readDuration(reader);
    else if (field === 5 && isMessage) given = readQuota(reader);
    else return false;
    return true;
  });
  const limited = code === OK ? "ok" : "over";
  return {
    code: !isLimited && code !== OVER_LIMIT ? "unlimited" : limited,
    remaining,
    resetMs,
    given,
  };
}

/** @returns milliseconds */
function readDuration(reader: BinaryReader): number {
  let [seconds, nanos] = [0, 0];
  readMessage(reader, (field, wireType) => {
    if (wireType !== WireType.Varint) return false;
    if (field === 1) seconds = Number(reader.int64());
    else if (field === 2) nanos = reader.int32();
    else return false;
    return true;
  });
  return Math.max(0, seconds * 1_000 + nanos / 1e6);
}

/** @returns requests */
function readQuota(reader: BinaryReader): number {
  let requests = 0;
  readMessage(reader, (field, wireType) => {
    if (field !== 1 || wireType !== WireType.Varint) return false;
    requests = reader.uint32();
    return true;
  });
  return requests;
}

/** Of a message within another. */
function readMessage(reader: BinaryReader, read: ReadField): void {
  const length = reader.uint32();
  readFields(reader, reader.pos + length, read);
}

/** What is not read is skipped. */
function readFields(reader: BinaryReader, end: number, read: ReadField): void {
  while (reader.pos < end) {
    const [field, wireType] = reader.tag();
    if (!read(field, wireType)) reader.skip(wireType, field);
  }
  if (reader.pos > end) throw new RangeError("a message is longer than it says");
}
