/** A worker's end of the channel to the process that holds the ports. */
import { setTimeout as delay } from "node:timers/promises";
import { describeError } from "../../runtime/hauberk-error.ts";
import type { Log } from "../../runtime/log.ts";
import type { SharedLogs } from "../../runtime/shared-logs.ts";
import { textPage } from "../admin-page.ts";
import type { AnswerAdmin } from "../admin-routes.ts";
import type { SidecarAdmin, SidecarAdminOptions } from "../sidecar-admin.ts";
import type { WorkerAnswer, WorkerOrder, WorkerQuestion } from "./worker-messages.ts";
import type { WorkerPlace } from "./worker-place.ts";

/** For a log that is being begun anew. */
const LAST_LINES_MS = 1_000;

export interface WorkerSideOptions {
  readonly place: WorkerPlace;
  /** Asked to end, as by SIGTERM. */
  readonly onStop: () => void;
  /** To which the other processes write, too. */
  readonly logs: SharedLogs;
  readonly log: Log;
}

export interface WorkerSide {
  readonly place: WorkerPlace;
  /** In place of doors of its own: it is asked over the channel. */
  readonly openAdmin: (options: SidecarAdminOptions) => Promise<SidecarAdmin>;
  /** Nothing more is to come: resolves once what was to be written has been; the channel keeps the process no more. */
  leave(): Promise<void>;
}

export function openWorkerSide({ place, onStop, logs, log }: WorkerSideOptions): WorkerSide {
  let answer: AnswerAdmin = () => textPage(503, "starting\n");
  const reply = async (question: WorkerQuestion): Promise<void> => {
    const { id, method, path, parameters } = question;
    const request = { method, path, parameters: new URLSearchParams(parameters), host: "" };
    send({ type: "answer", id, page: await answer(request) });
  };
  process.on("message", (order: WorkerOrder) => {
    if (order.type === "stop") onStop();
    if (order.type === "release-logs") logs.release();
    if (order.type === "hold-logs") {
      logs.hold();
      send({ type: "logs-held", id: order.id });
    }
    if (order.type !== "ask") return;
    reply(order).catch((error: unknown) =>
      log.error("admin request failed", { problem: describeError(error) }),
    );
  });
  send({ type: "hears" });
  return {
    place,
    openAdmin: async (options) => {
      answer = options.answer;
      return { close: () => Promise.resolve() };
    },
    async leave() {
      await Promise.race([logs.released, delay(LAST_LINES_MS, undefined, { ref: false })]);
      process.channel?.unref();
    },
  };
}

/** Tells that one of the logs has grown to its bound. */
export function tellFullLog(): void {
  send({ type: "log-full" });
}

/** Whoever holds the ports may be gone: then this process ends, too. */
function send(answer: WorkerAnswer): void {
  if (process.connected) process.send?.(answer, undefined, undefined, () => {});
}
