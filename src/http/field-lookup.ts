/** Finds fields by a name that is only known at run time, such as one of a policy, without making strings of the others. */
import { LOWER_CASE } from "./byte-classes.ts";
import { FIELD, fieldIdOf } from "./field-names.ts";
import type { FieldRanges } from "./field-ranges.ts";

export class FieldLookup {
  /** In lower case. */
  readonly name: string;
  readonly #bytes: Buffer;
  readonly #id: number;

  /** @param name in any letter case; made once, not for each message */
  constructor(name: string) {
    this.name = name.toLowerCase();
    // A name that is not ASCII is no field's; as bytes it might be another's.
    this.#bytes = Buffer.from(/^[!-~]+$/.test(this.name) ? this.name : "", "latin1");
    this.#id = fieldIdOf(this.#bytes, 0, this.#bytes.length);
  }

  /** @returns the place of the first such field at or after `from`; -1 when there is none */
  find(fields: FieldRanges, from = 0): number {
    const id = this.#id;
    for (let index = from; index < fields.count; index++) {
      if (fields.ids[index] !== id) continue;
      if (id !== FIELD.other || this.#isNameOf(fields, index)) return index;
    }
    return -1;
  }

  /** All values joined with "," (AP-80, QK-7), each character one byte; undefined if there is no such field. */
  joinedValue(fields: FieldRanges): string | undefined {
    let index = this.find(fields);
    if (index < 0) return undefined;
    let joined = valueText(fields, index);
    for (;;) {
      index = this.find(fields, index + 1);
      if (index < 0) return joined;
      joined += `,${valueText(fields, index)}`;
    }
  }

  #isNameOf({ bytes, ranges }: FieldRanges, index: number): boolean {
    const name = this.#bytes;
    const start = ranges[4 * index] ?? 0;
    if ((ranges[4 * index + 1] ?? 0) - start !== name.length) return false;
    for (let at = 0; at < name.length; at++) {
      if (LOWER_CASE[bytes[start + at] ?? 0] !== name[at]) return false;
    }
    return true;
  }
}

function valueText({ bytes, ranges }: FieldRanges, index: number): string {
  return bytes.toString("latin1", ranges[4 * index + 2], ranges[4 * index + 3]);
}
