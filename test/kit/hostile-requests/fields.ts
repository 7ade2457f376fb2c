/** Fields that are malformed, missing, or too many. */
import { writeDer } from "../../../src/identity/write-der.ts";
import { commonName, requestPem } from "../request-parts.ts";
import { below, type HostileKind } from "./hostile-kind.ts";

const CHALLENGE = "06092a864886f70d010907";

export const FIELD_KINDS: readonly HostileKind[] = [
  ["an integer without bytes", () => requestPem({ version: Buffer.of(2, 0) }), /malformed/],
  ["a padded version", () => requestPem({ version: Buffer.of(2, 2, 0, 0) }), /malformed/],
  [
    "another version",
    (dice) => requestPem({ version: Buffer.of(2, 1, 1 + below(dice, 255)) }),
    /version 1/,
  ],
  ["a version of another type", () => requestPem({ version: Buffer.of(10, 1, 0) }), /malformed/],
  ["a field too many inside", () => requestPem({ moreInfo: Buffer.of(5, 0) }), /too many fields/],
  ["a field too many", () => requestPem({ more: Buffer.of(5, 0) }), /too many fields/],
  ["a NULL with contents", () => requestPem({ more: Buffer.of(5, 1, 0) }), /malformed/],
  [
    "a primitive type that is constructed",
    () => withAttributes(attribute(CHALLENGE, writeDer(0x31, writeDer(0x2c)))),
    /must not be constructed/,
  ],
  [
    "an end of contents",
    () => withAttributes(attribute(CHALLENGE, writeDer(0x31, Buffer.of(0, 0)))),
    /malformed/,
  ],
  [
    "a text that is no UTF-8",
    (dice) => requestPem({ subject: commonName(0x0c, Buffer.of(0xc0 + below(dice, 2), 0x80)) }),
    /malformed/,
  ],
  [
    "a printable text that is not",
    () => requestPem({ subject: commonName(0x13, Buffer.from("a@b")) }),
    /malformed/,
  ],
  [
    "a name in an old encoding",
    (dice) => requestPem({ subject: commonName(dice.pick([0x14, 0x1e]), Buffer.from("ab")) }),
    /not a type and a text/,
  ],
  [
    "an empty part of a name",
    () => requestPem({ subject: writeDer(0x30, writeDer(0x31)) }),
    /part of the name is empty/,
  ],
  ["a name that is a set", () => requestPem({ subject: writeDer(0x31) }), /expected tag/],
];

function withAttributes(...attributes: readonly Uint8Array[]): string {
  return requestPem({ attributes: writeDer(0xa0, ...attributes) });
}

function attribute(type: string, ...values: readonly Uint8Array[]): Buffer {
  return writeDer(0x30, Buffer.from(type, "hex"), ...values);
}
