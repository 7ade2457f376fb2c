/** Texts that are no PEM of one request. */
import { formatPem } from "../../../src/identity/pem.ts";
import { REQUEST_LABEL, requestDer, requestPem } from "../request-parts.ts";
import { below, bytes, type HostileKind } from "./hostile-kind.ts";

export const PEM_KINDS: readonly HostileKind[] = [
  ["text before it", (dice) => `${"#".repeat(1 + below(dice, 9))}\n${requestPem()}`, /not PEM/],
  ["text behind it", () => `${requestPem()}and more`, /not PEM/],
  ["two requests", (dice) => requestPem().repeat(2 + below(dice, 5)), /more than one/],
  [
    "another label",
    (dice) => formatPem(dice.pick(["CERTIFICATE", "PRIVATE KEY", "PKCS7"]), requestDer()),
    /expected CERTIFICATE REQUEST/,
  ],
  [
    "two labels",
    () => requestPem().replace("END CERTIFICATE REQUEST", "END CERTIFICATE"),
    /not PEM/,
  ],
  [
    "a header inside",
    () => requestPem().replace("-----\n", "-----\nProc-Type: 4,ENCRYPTED\n\n"),
    /not PEM/,
  ],
  [
    "base64 that is not canonical",
    () => {
      const text = requestDer().toString("base64");
      return `-----BEGIN ${REQUEST_LABEL}-----\n${text}A\n-----END ${REQUEST_LABEL}-----\n`;
    },
    /canonical/,
  ],
  ["a zero byte inside", (dice) => insertAt(requestPem(), 40 + below(dice, 200), "\0"), /not PEM/],
  ["a space inside", (dice) => insertAt(requestPem(), 40 + below(dice, 200), " "), /not PEM/],
  ["dashes that are none", () => requestPem().replaceAll("-", "\u2010"), /not PEM/],
  [
    "nothing in it",
    () => `-----BEGIN ${REQUEST_LABEL}-----\n-----END ${REQUEST_LABEL}-----\n`,
    /not PEM/,
  ],
  ["random bytes", (dice) => raw(bytes(dice, 1 + below(dice, 300))), /./],
  ["nothing", () => "", /there is no/],
];

function insertAt(text: string, place: number, part: string): string {
  return `${text.slice(0, place)}${part}${text.slice(place)}`;
}

/** Bytes in place of the whole. */
function raw(der: Uint8Array): string {
  return formatPem(REQUEST_LABEL, der);
}
