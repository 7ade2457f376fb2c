/** What the application sends over TCP, again and again; of a length that no buffer has, so that bytes cannot change places unseen. */
import { createHash } from "node:crypto";

const LENGTH = 65_521;
const HASH_BYTES = 32;

export const TCP_PATTERN: Buffer = Buffer.concat(
  Array.from({ length: Math.ceil(LENGTH / HASH_BYTES) }, (_, index) =>
    createHash("sha256").update(String(index)).digest(),
  ),
).subarray(0, LENGTH);
