/**
 * What is logged of connections that came to nothing. Anybody can cause these lines, so that they are few, and what the
 * other side chose in them is cut.
 */
import { BoundedWarning } from "../runtime/bounded-warning.ts";
import { cut, type Log } from "../runtime/log.ts";

/** Room for a few SPIFFE IDs, and for what OpenSSL has to say. */
const MAX_TOLD_CHARACTERS = 500;

export class ConnectionRefusals {
  readonly #handshake: BoundedWarning;
  readonly #certificate: BoundedWarning;
  readonly #protocol: BoundedWarning;
  readonly #failed: BoundedWarning;

  constructor(log: Log) {
    this.#handshake = new BoundedWarning(log, { message: "TLS handshake failed" });
    this.#certificate = new BoundedWarning(log, { message: "client certificate refused" });
    this.#protocol = new BoundedWarning(log, { message: "connection refused" });
    this.#failed = new BoundedWarning({ warn: log.info }, { message: "connection failed" });
  }

  handshakeFailed(remote: string, error: string): void {
    this.#handshake.warn({ remote, error: cut(error, MAX_TOLD_CHARACTERS) });
  }

  certificateRefused(
    remote: string,
    { reason, names }: { readonly reason: string; readonly names: string | undefined },
  ): void {
    this.#certificate.warn({
      remote,
      reason: cut(reason, MAX_TOLD_CHARACTERS),
      names: names && cut(names, MAX_TOLD_CHARACTERS),
    });
  }

  noHttp2(remote: string): void {
    this.#protocol.warn({ remote, reason: "the client does not offer HTTP/2" });
  }

  connectionFailed(remote: string, error: string): void {
    this.#failed.warn({ remote, error: cut(error, MAX_TOLD_CHARACTERS) });
  }
}
