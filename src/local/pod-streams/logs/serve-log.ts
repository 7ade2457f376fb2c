/** Answers a request for a log: what there is, and then, if that is wished, what comes. */
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import type { LogLine, LogSource } from "./log-source.ts";
import type { LogWish } from "./log-wish.ts";

/** How soon a line that was written is told. */
const LOOK_EVERY_MS = 200;
/** Whoever wants the last lines and more than so many gets all there are. */
const MAX_TAIL = 100_000;

export interface ServedLog {
  readonly source: LogSource;
  readonly wish: LogWish;
  /** Whether nothing will be added any more. */
  readonly isOver: () => boolean;
}

export async function serveLog(
  { source, wish, isOver }: ServedLog,
  response: ServerResponse,
): Promise<void> {
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  response.writeHead(200, {
    "content-type": "text/plain",
    "cache-control": "no-cache, private",
    "x-content-type-options": "nosniff",
  });
  response.flushHeaders();
  const teller = new LogTeller(response, wish, gone.signal);
  try {
    await teller.tellAll(beginning(source, wish));
    while (wish.follow && !teller.isDone) {
      const isLast = isOver(); // asked first, so that its last lines are read
      await teller.tellAll(source.readOn());
      if (isLast) break;
      await delay(LOOK_EVERY_MS, undefined, { signal: gone.signal });
    }
    const last = source.lastLine();
    if (last !== undefined) await teller.tell([last]);
    response.end();
  } catch (error) {
    if (!gone.signal.aborted) throw error;
  } finally {
    await source.close();
  }
}

/** What there is now, or the end of it. */
async function* beginning(
  source: LogSource,
  { since = 0, tailLines }: LogWish,
): AsyncGenerator<readonly LogLine[]> {
  const isKept = tailLines !== undefined && tailLines <= MAX_TAIL;
  let kept: LogLine[] = [];
  for await (const lines of source.readOn()) {
    const wanted = since === 0 ? lines : lines.filter(({ at }) => at >= since);
    if (!isKept) yield wanted;
    else kept = lastOf([...kept, ...wanted], tailLines);
  }
  if (isKept) yield kept;
}

function lastOf(lines: LogLine[], count: number): LogLine[] {
  return count === 0 ? [] : lines.slice(-count);
}

class LogTeller {
  readonly #response: ServerResponse;
  readonly #signal: AbortSignal;
  readonly #timestamps: boolean;
  #bytesLeft: number;

  constructor(response: ServerResponse, { limitBytes, timestamps }: LogWish, signal: AbortSignal) {
    this.#response = response;
    this.#signal = signal;
    this.#timestamps = timestamps;
    this.#bytesLeft = limitBytes ?? Number.POSITIVE_INFINITY;
  }

  /** Nobody listens any more, or all that was asked for was told. */
  get isDone(): boolean {
    return this.#bytesLeft <= 0 || this.#signal.aborted;
  }

  async tellAll(batches: AsyncGenerator<readonly LogLine[]>): Promise<void> {
    for await (const lines of batches) {
      if (this.isDone) return;
      await this.tell(lines);
    }
  }

  /** Waits for a client that reads slowly. */
  async tell(lines: readonly LogLine[]): Promise<void> {
    this.#signal.throwIfAborted();
    const texts = this.#timestamps ? withTimes(lines) : lines.map(({ text }) => text);
    const bytes = Buffer.concat(texts).subarray(0, Math.min(this.#bytesLeft, 2 ** 31));
    this.#bytesLeft -= bytes.length;
    if (bytes.length === 0 || this.#response.write(bytes)) return;
    await once(this.#response, "drain", { signal: this.#signal });
  }
}

/** Lines that came together have one time, and the same bytes for it: there may be a line for each byte of a file. */
function withTimes(lines: readonly LogLine[]): Buffer[] {
  const texts: Buffer[] = [];
  let time: number | undefined;
  let stamp = Buffer.alloc(0);
  for (const { at, text } of lines) {
    if (at !== time) stamp = Buffer.from(`${new Date(at).toISOString()} `);
    time = at;
    texts.push(stamp, text);
  }
  return texts;
}
