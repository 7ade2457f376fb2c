/** Attributes, and the extensions that are asked for in them. */
import { writeDer } from "../../../src/identity/write-der.ts";
import {
  alternativeNames,
  askFor,
  extensionRequest,
  requestPem,
  uriName,
} from "../request-parts.ts";
import { below, bytes, type HostileKind } from "./hostile-kind.ts";

const FOREIGN = "spiffe://cluster.local/ns/production/sa/database";
const CHALLENGE = "06092a864886f70d010907";

export const ATTRIBUTE_KINDS: readonly HostileKind[] = [
  [
    "extensions asked for twice",
    () => withAttributes(extensionRequest(), extensionRequest()),
    /twice/,
  ],
  [
    "the same extension twice",
    (dice) =>
      requestPem({
        attributes: askFor(...Array(2 + below(dice, 5)).fill(alternativeNames(uriName(FOREIGN)))),
      }),
    /stands twice/,
  ],
  [
    "an attribute without values",
    () => withAttributes(attribute(CHALLENGE, writeDer(0x31))),
    /not a type and its values/,
  ],
  ["an attribute without a set", () => withAttributes(attribute(CHALLENGE)), /expected tag/],
  [
    "an attribute with a third field",
    () => withAttributes(attribute(CHALLENGE, writeDer(0x31, Buffer.of(5, 0)), Buffer.of(5, 0))),
    /not a type and its values/,
  ],
  [
    "a type that is padded",
    () => withAttributes(attribute("0603558003", writeDer(0x31, Buffer.of(5, 0)))),
    /padded/,
  ],
  [
    "a type that is cut short",
    () => withAttributes(attribute("06025583", writeDer(0x31, Buffer.of(5, 0)))),
    /cut short/,
  ],
  [
    "a boolean that is neither",
    (dice) =>
      requestPem({
        attributes: askFor(
          writeDer(
            0x30,
            Buffer.from("0603551d11", "hex"),
            Buffer.of(1, 1, 1 + below(dice, 254)),
            writeDer(4),
          ),
        ),
      }),
    /malformed/,
  ],
  [
    "names that are no list",
    () =>
      requestPem({
        attributes: askFor(
          writeDer(0x30, Buffer.from("0603551d11", "hex"), writeDer(4, Buffer.of(5, 0))),
        ),
      }),
    /expected tag/,
  ],
  [
    "names with bytes behind them",
    (dice) =>
      requestPem({
        attributes: askFor(
          writeDer(
            0x30,
            Buffer.from("0603551d11", "hex"),
            writeDer(4, writeDer(0x30), bytes(dice, 2)),
          ),
        ),
      }),
    /trailing/,
  ],
  [
    "a name that is not ASCII",
    () => requestPem({ attributes: askFor(alternativeNames(uriName(`${FOREIGN}é`))) }),
    /not ASCII/,
  ],
];

function withAttributes(...attributes: readonly Uint8Array[]): string {
  return requestPem({ attributes: writeDer(0xa0, ...attributes) });
}

function attribute(type: string, ...values: readonly Uint8Array[]): Buffer {
  return writeDer(0x30, Buffer.from(type, "hex"), ...values);
}
