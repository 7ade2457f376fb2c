/**
 * Watches over the one fault that shows only when it is too late: a certificate was renewed, and the listener goes on
 * serving the old one. So the listener itself is asked, by a handshake, and not whoever should have told it.
 */
import type { X509Certificate } from "node:crypto";
import { duplexPair } from "node:stream";
import { connect, type Server } from "node:tls";
import type { Log } from "../runtime/log.ts";

const LOOK_EVERY_MS = 1_000;
/** While all is well. */
const LOOK_AGAIN_MS = 15_000;
/** How long the listener may lag behind. */
const PATIENCE_MS = 5_000;
const HANDSHAKE_MS = 2_000;

export interface ServedCertificateOptions {
  /** @returns undefined when the listener does not answer */
  readonly served: () => Promise<X509Certificate | undefined>;
  /** Upper-case hexadecimal serial number of the certificate that should be served. */
  readonly newest: () => string;
  /** Hears whether the listener is behind, whenever that changes. */
  readonly onVerdict: (verdict: "current" | "behind") => void;
  readonly log: Log;
}

export class ServedCertificateWatch {
  readonly #options: ServedCertificateOptions;
  readonly #timer: NodeJS.Timeout;
  #confirmed: { readonly serial: string; readonly at: number } | undefined;
  #differsSince: number | undefined;
  #verdict: "current" | "behind" = "current";
  #looking = false;

  constructor(options: ServedCertificateOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.#lookIfDue(), LOOK_EVERY_MS).unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #lookIfDue(): Promise<void> {
    const { newest, served } = this.#options;
    const known = this.#confirmed;
    const settled = known?.serial === newest() && performance.now() - known.at < LOOK_AGAIN_MS;
    if (settled || this.#looking) return;
    this.#looking = true;
    const serial = (await served())?.serialNumber;
    this.#looking = false;
    this.#compare(serial);
  }

  #compare(served: string | undefined): void {
    const { newest } = this.#options;
    const now = performance.now();
    if (served === newest()) {
      this.#confirmed = { serial: served, at: now };
      this.#differsSince = undefined;
      this.#tell("current", served);
      return;
    }
    this.#differsSince ??= now;
    if (now - this.#differsSince >= PATIENCE_MS) this.#tell("behind", served);
  }

  #tell(verdict: "current" | "behind", served: string | undefined): void {
    if (verdict === this.#verdict) return;
    this.#verdict = verdict;
    const { log, newest, onVerdict } = this.#options;
    const fields = { served: served ?? "nothing", newest: newest() };
    if (verdict === "behind")
      log.error("the listener does not serve the newest certificate", fields);
    else log.info("the listener serves the newest certificate again", fields);
    onVerdict(verdict);
  }
}

/** What a TLS server presents to whoever calls it now; nothing is sent over the connection. */
export function servedCertificate(server: Server): Promise<X509Certificate | undefined> {
  const [ours, theirs] = duplexPair();
  server.emit("connection", theirs);
  // Nobody is trusted here: it is our own listener, and all that is wanted is to look at what it shows.
  const socket = connect({ socket: ours, rejectUnauthorized: false });
  return new Promise((resolve) => {
    const end = (certificate?: X509Certificate): void => {
      clearTimeout(timer);
      resolve(certificate);
      socket.destroy();
      theirs.destroy();
    };
    const timer = setTimeout(() => end(), HANDSHAKE_MS);
    socket.once("secureConnect", () => end(socket.getPeerX509Certificate()));
    socket.on("error", () => end());
    theirs.on("error", () => end());
  });
}
