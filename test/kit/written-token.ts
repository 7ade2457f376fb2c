/** Tokens whose header and payload are signed as they are written, which need not be JSON: no library would sign them. */
import { type KeyObject, sign } from "node:crypto";

/** With SHA-256, by an RSA key (RS256) or one of P-256 (ES256), whatever the header says. */
export function writtenToken(header: string, payload: string | Buffer, key: KeyObject): string {
  const text = `${base64url(header)}.${base64url(payload)}`;
  const signature = sign("sha256", Buffer.from(text), { key, dsaEncoding: "ieee-p1363" });
  return `${text}.${base64url(signature)}`;
}

export function base64url(text: string | Buffer): string {
  return Buffer.from(text).toString("base64url");
}
