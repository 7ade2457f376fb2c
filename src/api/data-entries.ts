/**
 * The entries of ConfigMaps and Secrets: what their keys may be, bytes written as base64, and how much fits in.
 * Source: https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/
 */
import type { Fields } from "./decoder.ts";

/** All values of one resource together. */
const MAX_BYTES = 1024 * 1024;
const KEY = /^(?!\.\.)(?!\.$)[-._a-zA-Z0-9]{1,253}$/;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** Keys become file names, so they can neither be a path nor lead out of a folder. */
export function dataKeyProblem(key: string): string | undefined {
  if (KEY.test(key)) return undefined;
  return 'is not a key of data: 1 to 253 letters, digits, "-", "_" and ".", not "." and not beginning with ".."';
}

/** The map of texts at `name`, by key. */
export function textEntries(fields: Fields, name: string): ReadonlyMap<string, string> {
  return new Map(Object.entries(fields.stringMap(name, { key: dataKeyProblem })));
}

/** The map of bytes, written as base64 (RFC 4648 section 4), at `name`, by key. */
export function binaryEntries(fields: Fields, name: string): ReadonlyMap<string, Uint8Array> {
  const texts = fields.stringMap(name, { key: dataKeyProblem, value: base64Problem });
  return new Map(
    Object.entries(texts).map(([key, text]) => [key, Buffer.from(text, "base64")] as const),
  );
}

export function checkTotalSize(fields: Fields, values: Iterable<string | Uint8Array>): void {
  let size = 0;
  for (const value of values) size += Buffer.byteLength(value);
  if (size > MAX_BYTES) fields.reportHere(`has ${size} bytes of data; at most ${MAX_BYTES} fit in`);
}

/** Says nothing of the text itself, which may be a secret. Line breaks inside are allowed, as in Kubernetes. */
function base64Problem(text: string): string | undefined {
  const digits = text.replace(/[\r\n]/g, "");
  if (digits.length % 4 === 0 && BASE64.test(digits)) return undefined;
  return "is not base64; plain text belongs in another field";
}
