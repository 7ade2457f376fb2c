/** Serial numbers of certificates (RFC 5280 section 4.1.2.2): positive, in their shortest form. */

/**
 * @param bytes big-endian, of any value; zero becomes one
 * @returns without leading zeros
 */
function minimalBytes(bytes: Uint8Array): Uint8Array {
  const firstUsed = bytes.findIndex((byte) => byte !== 0);
  return firstUsed < 0 ? Uint8Array.of(1) : bytes.subarray(firstUsed);
}

/** Contents of a DER INTEGER. */
export function serialNumberContents(bytes: Uint8Array): Uint8Array {
  const minimal = minimalBytes(bytes);
  return (minimal[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), minimal]) : minimal;
}

/** Upper-case hexadecimal, as OpenSSL and Node print it. */
export function serialNumberText(bytes: Uint8Array): string {
  return Buffer.from(minimalBytes(bytes)).toString("hex").toUpperCase();
}
