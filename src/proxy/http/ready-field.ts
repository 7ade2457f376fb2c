/** A field that many heads are given: checked and made into bytes once. */
import { FIELD_VALUE, TOKEN } from "../../http/byte-classes.ts";
import { fieldIdOf } from "../../http/field-names.ts";
import { checkText } from "../../http/http1/write-bytes.ts";

export class ReadyField {
  /** In lower case. */
  readonly name: string;
  readonly value: string;
  /** The name, and the value right behind it. */
  readonly bytes: Buffer;
  readonly nameLength: number;
  readonly id: number;

  /**
   * @param name in lower case
   * @param value each character is one byte
   * @throws RangeError when the name or value could not be sent as it is
   */
  constructor(name: string, value: string) {
    checkText(name, TOKEN);
    checkText(value, FIELD_VALUE);
    this.name = name;
    this.value = value;
    this.bytes = Buffer.from(name + value, "latin1");
    this.nameLength = name.length;
    this.id = fieldIdOf(this.bytes, 0, name.length);
  }
}

/** How a request came to the sidecar that was the first to see it. */
export const OVER_HTTP: ReadyField = new ReadyField("x-forwarded-proto", "http");
export const OVER_HTTPS: ReadyField = new ReadyField("x-forwarded-proto", "https");
