/** What the benchmark and a process that makes load tell each other. */
import type { BodyPath } from "../bodies.ts";
import type { ClientFiles } from "../proxy-side.ts";

export type LoadOrder =
  /** So many requests a second, sent when they are due, whether or not those before were answered. */
  | {
      readonly kind: "open loop";
      readonly port: number;
      readonly path: BodyPath;
      readonly connections: number;
      readonly ratePerSecond: number;
    }
  /** New connections with full handshakes, each for one request. */
  | {
      readonly kind: "handshakes";
      readonly port: number;
      readonly path: BodyPath;
      /** At a time. */
      readonly connections: number;
      readonly files: ClientFiles;
    }
  /** Unary calls that are answered with what they sent. */
  | {
      readonly kind: "grpc";
      readonly port: number;
      readonly connections: number;
      /** At a time, on each connection. */
      readonly calls: number;
    }
  /** As much as the application sends. */
  | { readonly kind: "tcp"; readonly port: number; readonly connections: number };

export interface LoadResult {
  /** From `begin` to `end`; megabytes for "tcp". */
  readonly done: number;
  /** In words; any of them voids the cycle. */
  readonly errors: readonly string[];
  /** Milliseconds. */
  readonly latency?: { readonly p50: number; readonly p99: number };
}

export type ToLoad = LoadOrder | { readonly kind: "begin" } | { readonly kind: "end" };

export type FromLoad =
  | { readonly kind: "running" }
  | { readonly kind: "begun" }
  | { readonly kind: "ended"; readonly result: LoadResult };

/** What a load process does with its order. */
export interface LoadWork {
  /** From here on counts what is done. */
  begin(): void;
  /** Stops. */
  end(): LoadResult;
}
