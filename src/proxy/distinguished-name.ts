/** The name of a certificate's subject in one line, as RFC 2253 writes it: what it says last comes first. */

const ASCII_PRINTABLE = /^[ -~]*$/;

/**
 * @param lines as Node tells it: one part a line, with the escapes of RFC 2253 already, in the certificate's order;
 *   undefined of a certificate without a name
 */
export function distinguishedName(lines: string | undefined): string {
  if (lines === undefined || lines === "") return "";
  return escaped(lines.split("\n").reverse().join(","));
}

/** What is not ASCII cannot stand in a header: its bytes in UTF-8 are escaped, as OpenSSL does. */
function escaped(text: string): string {
  if (ASCII_PRINTABLE.test(text)) return text;
  return text.replace(/[^ -~]/gu, (character) =>
    [...Buffer.from(character)].map((byte) => `\\${hexadecimal(byte)}`).join(""),
  );
}

function hexadecimal(byte: number): string {
  return byte.toString(16).toUpperCase().padStart(2, "0");
}
