/**
 * The part of a sidecar's administration that anybody on its loopback may read: whether it is ready, and its metrics.
 * All the rest, and everything that changes something, is on the Unix socket of `admin-socket.ts` alone.
 */
import { once } from "node:events";
import type { Server } from "node:http";
import { describeError } from "../runtime/hauberk-error.ts";
import { ListenError } from "../runtime/listen-error.ts";
import type { Log } from "../runtime/log.ts";
import { isLoopbackName } from "../runtime/loopback-name.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { closeAdminHttp, createAdminHttp } from "./admin-http.ts";
import { type AdminPage, type AdminRequest, textPage, wrongMethodPage } from "./admin-page.ts";

/** "draining": it was asked to take no more, and finishes what it has. */
export type SidecarState = "starting" | "ready" | "draining";

export interface AdminOptions {
  readonly port: number;
  readonly state: () => SidecarState;
  readonly metrics: Pick<Metrics, "exposition" | "contentType">;
  readonly log: Log;
}

const HOST = "127.0.0.1";
const MAX_CONNECTIONS = 64;
const ELSEWHERE =
  "see /ready and /metrics; everything else is told over the sidecar's Unix socket alone: `hauberk proxy-config --help`\n";

export class AdminServer {
  readonly #options: AdminOptions;
  readonly #server: Server;

  constructor(options: AdminOptions) {
    this.#options = options;
    this.#server = createAdminHttp({
      answer: (request) => publicPage(request, options),
      maxConnections: MAX_CONNECTIONS,
      log: options.log,
    });
  }

  /** @throws ListenError */
  async open(): Promise<void> {
    const { port, log } = this.#options;
    try {
      await once(this.#server.listen({ host: HOST, port }), "listening");
    } catch (cause) {
      throw new ListenError(`cannot listen on ${HOST}:${port}`, { cause });
    }
    this.#server.on("error", (error) =>
      log.error("admin server failed", { problem: describeError(error) }),
    );
  }

  close(): Promise<void> {
    return closeAdminHttp(this.#server);
  }
}

export function readyPage(state: SidecarState): AdminPage {
  return textPage(state === "ready" ? 200 : 503, `${state}\n`);
}

export async function metricsPage(metrics: AdminOptions["metrics"]): Promise<AdminPage> {
  return { status: 200, contentType: metrics.contentType, body: await metrics.exposition() };
}

/** Each of the two pages under our name, and under the one that it has on Istio's ports 15021 and 15090. */
async function publicPage(
  { method, path, host }: AdminRequest,
  { state, metrics }: AdminOptions,
): Promise<AdminPage> {
  if (!isLoopbackName(host)) return textPage(421, "ask under a loopback name\n");
  if (method !== "GET") return wrongMethodPage("GET", "only GET is served here");
  if (path === "/ready" || path === "/healthz/ready") return readyPage(state());
  if (path === "/metrics" || path === "/stats/prometheus") return metricsPage(metrics);
  return textPage(404, ELSEWHERE);
}
