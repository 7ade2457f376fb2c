/** Whoever runs a command in a container, whatever it speaks: its ends of the command's streams. */
import type { Readable, Writable } from "node:stream";
import type { JsonObject } from "../../api-server/kinds/kubernetes-object.ts";

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

export interface ExecClient {
  /** Ends when the client says so. */
  readonly input: Readable;
  readonly output: Writable;
  readonly errors: Writable;
  /** Hears of each size of the client's terminal, also of one that came before. */
  onResize(listener: (size: TerminalSize) => void): void;
  /** Tells how it ended, and ends the connection; everything else has been said. */
  finish(status: JsonObject): Promise<void>;
  /** Aborted when the client is gone. */
  readonly gone: AbortSignal;
}

/** How a command ended. Source: Kubernetes `remotecommand`, NonZeroExitCodeReason */
export function exitStatus(code: number): JsonObject {
  if (code === 0) return { metadata: {}, status: "Success" };
  return {
    metadata: {},
    status: "Failure",
    reason: "NonZeroExitCode",
    message: `command terminated with non-zero exit code: exit status ${code}`,
    details: { causes: [{ reason: "ExitCode", message: String(code) }] },
  };
}

const MAX_SIDE = 0xffff;

/** `{"Width": 80, "Height": 24}` @returns undefined for what is no size */
export function parseTerminalSize(text: string): TerminalSize | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return undefined;
    const { Width: columns, Height: rows } = value as Record<string, unknown>;
    return isSide(columns) && isSide(rows) ? { columns, rows } : undefined;
  } catch {
    return undefined; // not a size: a terminal stays as it is
  }
}

function isSide(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value > 0 && value <= MAX_SIDE;
}

/** The size that came last, for whoever listens now or later. */
export class TerminalSizes {
  #last: TerminalSize | undefined;
  #listener: ((size: TerminalSize) => void) | undefined;

  tell(size: TerminalSize | undefined): void {
    if (size === undefined) return;
    this.#last = size;
    this.#listener?.(size);
  }

  listen(listener: (size: TerminalSize) => void): void {
    this.#listener = listener;
    if (this.#last !== undefined) listener(this.#last);
  }
}
