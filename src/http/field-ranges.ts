/** Header fields as both codecs hand them on: ranges of one buffer, so that a field goes from one to the other uncopied. */

export interface FieldRanges {
  /** Read only: it belongs to whoever filled it, and is filled anew for the next message. */
  readonly bytes: Buffer;
  readonly count: number;
  /** Four a field, at `4 * index`: start and end of its name, start and end of its value. */
  readonly ranges: Uint32Array;
  /** One a field: see `fieldId`. */
  readonly ids: Uint8Array;
}

/** @returns the place of the first field at or after `from` that has this id; -1 when there is none */
export function findField({ ids, count }: FieldRanges, id: number, from = 0): number {
  for (let index = from; index < count; index++) if (ids[index] === id) return index;
  return -1;
}

export function fieldName({ bytes, ranges }: FieldRanges, index: number): string {
  return bytes.toString("latin1", ranges[4 * index], ranges[4 * index + 1]);
}

export function fieldValue({ bytes, ranges }: FieldRanges, index: number): string {
  return bytes.toString("latin1", ranges[4 * index + 2], ranges[4 * index + 3]);
}
