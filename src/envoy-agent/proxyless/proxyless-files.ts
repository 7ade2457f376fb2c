/**
 * Key, certificate and roots of a workload as files of its pod, written anew whenever one of them changes: gRPC knows no
 * other way to be given them.
 */
import { chmod } from "node:fs/promises";
import { join } from "node:path";
import type { X509Svid } from "../../identity/x509-svid.ts";
import type { ProxylessSettings } from "../../policy/sidecar-bootstrap.ts";
import type { WorkloadView } from "../../policy/workload-view.ts";
import { replaceFile } from "../../runtime/atomic-file.ts";
import { describeError } from "../../runtime/hauberk-error.ts";
import type { Log } from "../../runtime/log.ts";
import type { Watched } from "../../runtime/watched.ts";

/** Istio's names. */
export const KEY_FILE = "key.pem";
export const CERTIFICATE_FILE = "cert-chain.pem";
export const ROOTS_FILE = "root-cert.pem";

/** The pod's own user, and where the program is another one, the group that joins both. */
const MODES: Readonly<Record<ProxylessSettings["access"], number>> = {
  owner: 0o600,
  group: 0o640,
};

/** What could not be written may have room again. */
const TRY_AGAIN_MS = 3_000;

export interface ProxylessFilesOptions {
  readonly settings: Pick<ProxylessSettings, "folder" | "access">;
  readonly svid: Watched<X509Svid | undefined>;
  readonly views: Watched<WorkloadView | undefined>;
  readonly log: Log;
}

/** Whoever reads a file sees the old one or the new one, never a part. */
export class ProxylessFiles {
  readonly #options: ProxylessFilesOptions;
  readonly #written = new Map<string, string>();
  readonly #unwatch: (() => void)[] = [];
  /** One after the other, so that the newest is written last. */
  #writing: Promise<void> = Promise.resolve();
  #again: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: ProxylessFilesOptions) {
    this.#options = options;
  }

  /**
   * Resolves when all are there; from then on what cannot be written is tried again every three seconds. Rejects as the file
   * system does.
   */
  async open(): Promise<void> {
    const { svid, views } = this.#options;
    const first = this.#writeAll();
    this.#writing = first.catch(() => undefined); // told to whoever opens
    const renew = (): void => this.#renew();
    this.#unwatch.push(svid.onChange(renew), views.onChange(renew));
    try {
      await first;
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async write(name: string, text: string): Promise<void> {
    if (this.#written.get(name) === text) return;
    const { folder, access } = this.#options.settings;
    const path = join(folder, name);
    const mode = MODES[access];
    await replaceFile(path, text, { mode });
    if (access === "group") await chmod(path, mode); // whatever the process's mask took away
    this.#written.set(name, text);
  }

  /** Resolves when nothing is written any more. The files stay until the pod is gone. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const unwatch of this.#unwatch.splice(0)) unwatch();
    clearTimeout(this.#again);
    await this.#writing;
  }

  #renew(): void {
    clearTimeout(this.#again);
    this.#writing = this.#writing
      .then(() => this.#writeAll())
      .catch((error: unknown) => {
        this.#options.log.error("the workload's files are not renewed", {
          problem: describeError(error),
        });
        if (this.#isClosed) return;
        clearTimeout(this.#again);
        this.#again = setTimeout(() => this.#renew(), TRY_AGAIN_MS);
      });
  }

  /** Roots first: who is shown a certificate of a new authority must know it already. */
  async #writeAll(): Promise<void> {
    const { svid, views } = this.#options;
    const roots = views.current?.trust.rootsPem;
    if (roots !== undefined) await this.write(ROOTS_FILE, lines(roots));
    const own = svid.current;
    if (own === undefined) return;
    await this.write(KEY_FILE, own.privateKeyPem);
    await this.write(CERTIFICATE_FILE, own.certificateChainPem);
  }
}

function lines(pems: readonly string[]): string {
  return pems.map((pem) => `${pem.trimEnd()}\n`).join("");
}
