/** Which bytes may stand where in a message, as tables: one look-up a byte. */

export const HTAB = 9;
export const LF = 10;
export const CR = 13;
export const SPACE = 32;
export const COLON = 58;

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const DIGITS = "0123456789";

/** RFC 9110 section 5.6.2, tchar. */
export const TOKEN: Uint8Array = classOf(`!#$%&'*+-.^_\`|~${DIGITS}${LETTERS}`);
/** RFC 9110 section 5.5, with the spaces between and around: no control byte but HTAB. */
export const FIELD_VALUE: Uint8Array = rangeOf((byte) => byte === HTAB || isText(byte));
/**
 * Of request targets: what is visible ASCII, but no "#" (AP-107). Some of it may stand in no URL and is taken by all
 * servers: that is for the normalisation of paths to judge. Bytes beyond ASCII are taken by neither Envoy nor node:http.
 */
export const TARGET: Uint8Array = rangeOf((byte) => byte > SPACE && byte < 127 && byte !== 35);
/** Of a host name or IPv4 address in an authority (RFC 3986 section 3.2.2), without user information. */
export const HOST: Uint8Array = classOf(`._~!$&'()*+,;=%-${DIGITS}${LETTERS}`);
/** Of an IPv6 address between its brackets. */
export const IP_LITERAL: Uint8Array = classOf(`${DIGITS}abcdefABCDEF:.`);
/**
 * Of methods, which are compared by case: a lower-case one is a method nobody knows to policy, and perhaps a known one to
 * the application (QK-11).
 */
export const METHOD_NAME: Uint8Array = classOf(`${LETTERS.slice(0, 26)}${DIGITS}-_`);

/** Each byte, but for the letters A to Z. */
export const LOWER_CASE: Uint8Array = new Uint8Array(256).map((_, byte) =>
  byte >= 65 && byte <= 90 ? byte + 32 : byte,
);
/** 0 to 15; 255 for what is no hexadecimal digit. */
export const HEX_DIGIT: Uint8Array = new Uint8Array(256).map((_, byte) => {
  const digit = "0123456789abcdef".indexOf(String.fromCharCode(byte).toLowerCase());
  return byte < 128 && digit >= 0 ? digit : 255;
});

function isText(byte: number): boolean {
  return byte >= SPACE && byte !== 127;
}

function classOf(characters: string): Uint8Array {
  return rangeOf((byte) => byte < 128 && characters.includes(String.fromCharCode(byte)));
}

function rangeOf(has: (byte: number) => boolean): Uint8Array {
  return new Uint8Array(256).map((_, byte) => (has(byte) ? 1 : 0));
}
