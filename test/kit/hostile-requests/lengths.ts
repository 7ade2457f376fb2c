/** Lengths that lie, ends that are missing, and nests without end. */
import { formatPem } from "../../../src/identity/pem.ts";
import { writeDer } from "../../../src/identity/write-der.ts";
import { commonName, REQUEST_LABEL, requestDer, requestPem } from "../request-parts.ts";
import { below, bytes, type HostileKind } from "./hostile-kind.ts";

const CHALLENGE = "06092a864886f70d010907";
const DER_REASON =
  /cut short|trailing|shortest form|indefinite|too large|too deep|malformed|expected tag|more than one byte|must not be constructed|bytes|padded/;

export const LENGTH_KINDS: readonly HostileKind[] = [
  ["a cut end", (dice) => raw(requestDer().subarray(0, 1 + below(dice, 200))), DER_REASON],
  [
    "bytes behind it",
    (dice) => raw(Buffer.concat([requestDer(), bytes(dice, 1 + below(dice, 40))])),
    /trailing/,
  ],
  ["an indefinite length", () => withLength(0x80), /indefinite/],
  ["a length of four bytes", (dice) => withLength(0x84, ...bytes(dice, 4)), /too large/],
  [
    "a length that is negative to whoever reads it signed",
    () => withLength(0x84, 0xff, 0xff, 0xff, 0xff),
    /too large/,
  ],
  ["a length beyond the end", (dice) => withLength(0x83, 1 + below(dice, 255), 0, 0), /cut short/],
  [
    "a length with a zero before it",
    (dice) => withLength(0x82, 0, 0x80 + below(dice, 128)),
    /shortest form/,
  ],
  [
    "a short length in the long form",
    (dice) => withLength(0x81, below(dice, 128)),
    /shortest form/,
  ],
  ["the reserved length", () => withLength(0xff), /too large/],
  [
    "a huge request",
    (dice) =>
      requestPem({ subject: commonName(0x0c, Buffer.alloc(20_000 + below(dice, 20_000), 97)) }),
    /longer than/,
  ],
  [
    "a deep nest in an attribute",
    (dice) =>
      withAttributes(
        attribute(CHALLENGE, writeDer(0x31, nested(20 + below(dice, 2000), Buffer.of(5, 0)))),
      ),
    /nested too deeply/,
  ],
  [
    "a deep nest as the whole",
    (dice) => raw(nested(20 + below(dice, 2000), Buffer.alloc(0))),
    /nested too deeply/,
  ],
  [
    "a tag of two bytes",
    () => requestPem({ moreInfo: Buffer.of(0x1f, 0x81, 0x01, 0) }),
    /more than one byte/,
  ],
];

/** The outermost element with another length in its head. */
function withLength(...length: readonly number[]): string {
  const der = requestDer();
  const contents = der.subarray((der[1] ?? 0) < 0x80 ? 2 : 3);
  return raw(Buffer.concat([Buffer.of(0x30, ...length), contents]));
}

function nested(depth: number, innermost: Uint8Array): Uint8Array {
  let element: Uint8Array = innermost;
  for (let level = 0; level < depth; level++) element = writeDer(0x30, element);
  return element;
}

function withAttributes(...attributes: readonly Uint8Array[]): string {
  return requestPem({ attributes: writeDer(0xa0, ...attributes) });
}

function attribute(type: string, ...values: readonly Uint8Array[]): Buffer {
  return writeDer(0x30, Buffer.from(type, "hex"), ...values);
}

/** Bytes in place of the whole. */
function raw(der: Uint8Array): string {
  return formatPem(REQUEST_LABEL, der);
}
