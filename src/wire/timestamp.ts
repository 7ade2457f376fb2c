/** Instants as protobuf has them. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  type Timestamp,
  type TimestampSchema,
  timestampDate,
  timestampFromDate,
} from "@bufbuild/protobuf/wkt";

export function timestampOf(instant: Date): MessageInitShape<typeof TimestampSchema> {
  return timestampFromDate(instant);
}

/** @returns undefined for one that is absent */
export function instantOf(timestamp: Timestamp | undefined): Date | undefined {
  return timestamp === undefined ? undefined : timestampDate(timestamp);
}
