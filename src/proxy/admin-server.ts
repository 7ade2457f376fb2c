/** The sidecar's own small server on loopback: health, metrics, and which certificate it has. Reads only. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { SidecarCertificates } from "../identity/sidecar-certificates.ts";
import type { X509Svid } from "../identity/x509-svid.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import { ListenError } from "../runtime/listen-error.ts";
import type { Log } from "../runtime/log.ts";
import type { Watched } from "../runtime/watched.ts";
import type { Metrics } from "../telemetry/metrics.ts";

export interface AdminOptions {
  readonly port: number;
  readonly ready: () => "ready" | "starting";
  readonly svid: Watched<X509Svid | undefined>;
  /** PEM of the roots that peers must chain to. */
  readonly rootsPem: () => readonly string[];
  readonly metrics: Metrics;
  readonly log: Log;
}

interface Page {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

const HOST = "127.0.0.1";
const TEXT = "text/plain";
const MAX_CONNECTIONS = 64;
/** A web page in a browser can send us requests under its own name, but not under these. */
const OWN_NAMES = /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/;

export class AdminServer {
  readonly #options: AdminOptions;
  readonly #server: Server;

  constructor(options: AdminOptions) {
    this.#options = options;
    this.#server = createServer(
      { headersTimeout: 10_000, requestTimeout: 10_000 },
      (request, response) => {
        this.#answer(request, response).catch((error: unknown) => {
          options.log.error("admin request failed", { problem: describeError(error) });
          response.destroy();
        });
      },
    );
    this.#server.maxConnections = MAX_CONNECTIONS;
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
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { status, contentType, body } = await this.#page(request);
    response.writeHead(status, { "content-type": contentType }).end(body);
  }

  async #page({ method, url, headers }: IncomingMessage): Promise<Page> {
    if (!OWN_NAMES.test(headers.host ?? "")) return text(421, "ask under a loopback name\n");
    if (method !== "GET") return text(405, "only GET is served\n");
    const { ready, metrics, svid, rootsPem } = this.#options;
    switch (url) {
      case "/healthz/ready":
        return text(ready() === "ready" ? 200 : 503, `${ready()}\n`);
      case "/stats/prometheus":
        return { status: 200, contentType: metrics.contentType, body: await metrics.exposition() };
      case "/certs":
        return json(describeCertificates(svid.current, rootsPem()));
      default:
        return text(404, "see /healthz/ready, /stats/prometheus, /certs\n");
    }
  }
}

function text(status: number, body: string): Page {
  return { status, contentType: TEXT, body };
}

function json(value: unknown): Page {
  return { status: 200, contentType: "application/json", body: `${JSON.stringify(value)}\n` };
}

/** Public parts only. */
function describeCertificates(
  svid: X509Svid | undefined,
  rootsPem: readonly string[],
): SidecarCertificates {
  return {
    id: svid?.id ?? null,
    serialNumber: svid?.serialNumber ?? null,
    notAfter: svid?.notAfter.toISOString() ?? null,
    issuedAt: svid?.issuedAt.toISOString() ?? null,
    certificateChainPem: svid?.certificateChainPem ?? null,
    rootsPem,
  };
}
