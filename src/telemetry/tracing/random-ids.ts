/** Ids of traces and spans. Random bytes are made for many at once: each making costs more than the bytes. */
import { randomFillSync } from "node:crypto";

const pool = Buffer.allocUnsafeSlow(4_096);
let used = pool.length;

const NO_ID = /^0+$/;

/** 32 digits, lower-case hexadecimal, not all zero. */
export function randomTraceId(): string {
  return randomId(16);
}

/** 16 digits. */
export function randomSpanId(): string {
  return randomId(8);
}

function randomId(bytes: number): string {
  if (used + bytes > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const id = pool.toString("hex", used, used + bytes);
  used += bytes;
  return NO_ID.test(id) ? randomId(bytes) : id;
}
