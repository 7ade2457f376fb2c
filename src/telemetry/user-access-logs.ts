/** The access logs that users configure (OBS-1..OBS-6, OBS-10): compiled once for each view, written as files. */
import type { AccessLog, EffectiveTelemetry } from "../policy/workload-view.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import type { Log } from "../runtime/log.ts";
import { appendFileSink } from "./append-file.ts";
import { GatheredLines, type LineSink } from "./gathered-lines.ts";
import { compileLogFilter, type LogCondition } from "./log-condition.ts";
import { compileLogFormat, type FormatLine } from "./log-line.ts";
import { isWithoutChain, type LoggedCall } from "./logged-call.ts";

export interface UserAccessLogsOptions {
  /** What `/dev/stdout` and `/dev/stderr` stand for; other paths are files of that name. */
  readonly streams: ReadonlyMap<string, LineSink>;
  readonly log: Log;
}

/** What one side of the sidecar writes; absent where there is nothing to write. */
export type SideLogs = readonly CompiledLog[] | undefined;

interface CompiledLog {
  readonly lines: GatheredLines;
  readonly format: FormatLine;
  /** Absent: everything is logged. */
  readonly condition?: LogCondition;
  readonly refusals: "logged" | "left out";
}

/** However the process ends, short of being killed, what they hold is written. */
const open = new Set<UserAccessLogs>();
process.once("exit", () => {
  for (const logs of open) logs.flushNow();
});

export class UserAccessLogs {
  readonly #options: UserAccessLogsOptions;
  readonly #files = new Map<string, GatheredLines>();
  #telemetry: EffectiveTelemetry | undefined;
  #inbound: SideLogs;
  #outbound: SideLogs;

  constructor(options: UserAccessLogsOptions) {
    this.#options = options;
  }

  /**
   * Asked before anything is gathered for a line: mostly there is nothing to write.
   *
   * @param telemetry of the newest view
   */
  of(telemetry: EffectiveTelemetry | undefined, reporter: "source" | "destination"): SideLogs {
    if (telemetry !== this.#telemetry) this.#follow(telemetry);
    return reporter === "source" ? this.#outbound : this.#inbound;
  }

  /** Writes everything, and nothing more. */
  async close(): Promise<void> {
    await Promise.all([...this.#files.values()].map((lines) => lines.close()));
  }

  #follow(telemetry: EffectiveTelemetry | undefined): void {
    this.#telemetry = telemetry;
    this.#inbound = this.#compile(telemetry?.inbound);
    this.#outbound = this.#compile(telemetry?.outbound);
  }

  #compile(logs: readonly AccessLog[] = []): SideLogs {
    const compiled = logs.flatMap((log) => this.#compileOne(log));
    return compiled.length === 0 ? undefined : compiled;
  }

  #compileOne({ provider, path, format, filter, refusals }: AccessLog): CompiledLog[] {
    try {
      const compiled = {
        lines: this.#linesOf(path),
        format: compileLogFormat(format),
        refusals: refusals ?? ("logged" as const),
      };
      return [
        filter === undefined ? compiled : { ...compiled, condition: compileLogFilter(filter) },
      ];
    } catch (error) {
      const problem = describeError(error);
      this.#options.log.error("an access log is not written", { provider, problem });
      return [];
    }
  }

  #linesOf(path: string): GatheredLines {
    const { streams, log } = this.#options;
    const known = this.#files.get(path);
    if (known !== undefined) return known;
    const sink = streams.get(path) ?? (STREAMS.has(path) ? NO_STREAM : appendFileSink(path));
    const lines = new GatheredLines({ sink, name: path, log });
    open.add(this);
    this.#files.set(path, lines);
    return lines;
  }

  /** For the end of the process. */
  flushNow(): void {
    for (const lines of this.#files.values()) {
      try {
        lines.flushNow();
      } catch {
        // the process ends, and nobody is left to be told
      }
    }
  }
}

/** Of this process they are its own logs, which other programs read: nothing else is written there. */
const STREAMS: ReadonlySet<string> = new Set(["/dev/stdout", "/dev/stderr"]);
const NO_STREAM: LineSink = {
  write: () => Promise.reject(new Error("this process has no such stream for access logs")),
  writeNow: () => undefined,
  close: () => Promise.resolve(),
};

/** Writes one call into each log whose filter it satisfies. */
export function writeAccessLogs(logs: readonly CompiledLog[], call: LoggedCall): void {
  for (const { lines, format, condition, refusals } of logs) {
    if (refusals === "left out" && isWithoutChain(call)) continue;
    if (condition === undefined || condition(call)) lines.add(format(call));
  }
}
