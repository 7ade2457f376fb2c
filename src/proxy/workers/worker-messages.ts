/**
 * What the process that holds a sidecar's ports and its workers say to each other over Node's own channel. What a worker
 * is instructed with, and reports, is the same as of a sidecar that is one process, and goes over its descriptor 3.
 */
import type { AdminPage } from "../admin-page.ts";

/** Messages to a worker. */
export type WorkerOrder =
  | WorkerQuestion
  /** As SIGTERM. */
  | { readonly type: "stop" }
  /** It writes to no log until it is told to go on, and says when that is so. */
  | { readonly type: "hold-logs"; readonly id: number }
  | { readonly type: "release-logs" };

/** One request to the administration. */
export interface WorkerQuestion {
  readonly type: "ask";
  readonly id: number;
  readonly method: string;
  readonly path: string;
  /** As in a URL, without the question mark. */
  readonly parameters: string;
}

/** Messages from a worker. */
export type WorkerAnswer =
  /** The first of all: from now on it hears. What was sent before is lost to a program that still loads. */
  | { readonly type: "hears" }
  | { readonly type: "answer"; readonly id: number; readonly page: AdminPage }
  | { readonly type: "logs-held"; readonly id: number }
  /** A log has grown to its bound. */
  | { readonly type: "log-full" };
