/**
 * The question of Envoy's rate limit service, as whoever passes it on reads it: what no sidecar of ours would ask is left out.
 * Source: envoy/service/ratelimit/v3/rls.proto, envoy/extensions/common/ratelimit/v3/ratelimit.proto
 */
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import type { RateLimitQuestion } from "./rate-limit-call.ts";

type Entry = readonly [name: string, value: string];

/** @throws Error if it is no message of protobuf */
export function readRateLimitQuestion(bytes: Uint8Array): RateLimitQuestion {
  const reader = new BinaryReader(bytes);
  const descriptors: (readonly Entry[])[] = [];
  let domain = "";
  let hits = 1;
  readFields(reader, bytes.length, (field, wireType) => {
    if (field === 1 && wireType === WireType.LengthDelimited) domain = reader.string();
    else if (field === 2 && wireType === WireType.LengthDelimited)
      descriptors.push(readDescriptor(reader));
    else if (field === 3 && wireType === WireType.Varint) hits = Math.max(1, reader.uint32());
    else return false;
    return true;
  });
  return { domain, descriptors, hits };
}

function readDescriptor(reader: BinaryReader): readonly Entry[] {
  const entries: Entry[] = [];
  readMessage(reader, (field, wireType) => {
    if (field !== 1 || wireType !== WireType.LengthDelimited) return false;
    entries.push(readEntry(reader));
    return true;
  });
  return entries;
}

function readEntry(reader: BinaryReader): Entry {
  let [name, value] = ["", ""];
  readMessage(reader, (field, wireType) => {
    if (wireType !== WireType.LengthDelimited) return false;
    if (field === 1) name = reader.string();
    else if (field === 2) value = reader.string();
    else return false;
    return true;
  });
  return [name, value];
}

type ReadField = (field: number, wireType: WireType) => boolean;

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
