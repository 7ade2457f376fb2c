/** What the client of `test/meshes/traffic` prints: what it found, what each second brought, and what did not go as it should. */
import { readFile } from "node:fs/promises";

export interface Found {
  /** Requests a second, closed loop. */
  readonly saturation: number;
  /** What is sent from then on. */
  readonly perSecond: number;
}

export interface Second {
  /** When it ended, in milliseconds since 1970. */
  readonly second: number;
  readonly sent: number;
  readonly failed: number;
  /** Not sent, because too many had no answer yet. */
  readonly shed: number;
  readonly outstanding: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly most: number;
}

/** Of a request that failed, or was for a guarded path. */
export interface Told {
  readonly id: string;
  readonly kind: string;
  readonly sentAt: number;
  readonly ms: number;
  /** Absent: it was answered as it should be without a policy. */
  readonly problem?: string;
  readonly status?: number;
  readonly text?: string;
}

/** Of bytes that no request asked for, or of a program that failed. */
export interface Oddity {
  readonly text: string;
}

export interface LoadLog {
  readonly found: Found | undefined;
  readonly seconds: readonly Second[];
  readonly told: readonly Told[];
  readonly oddities: readonly Oddity[];
}

export async function readLoadLog(file: string): Promise<LoadLog> {
  const seconds: Second[] = [];
  const told: Told[] = [];
  const oddities: Oddity[] = [];
  let found: Found | undefined;
  const whole = (await readFile(file, "utf8").catch(() => "")).split("\n").slice(0, -1);
  for (const line of whole) {
    if (line.startsWith('{"second"')) seconds.push(JSON.parse(line) as Second);
    else if (line.startsWith('{"id"')) told.push(JSON.parse(line) as Told);
    else if (line.startsWith('{"saturation"')) found = JSON.parse(line) as Found;
    else oddities.push({ text: line });
  }
  return { found, seconds, told, oddities };
}
