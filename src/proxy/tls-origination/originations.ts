/**
 * The TLS originations of a view, each with what it was last read as: files are looked at again and again, and what
 * cannot be used leaves the last good certificates in place.
 */
import type { SecureContext } from "node:tls";
import type { TlsOrigination } from "../../policy/tls-origination.ts";
import type { WorkloadView } from "../../policy/workload-view.ts";
import { describeError } from "../../runtime/hauberk-error.ts";
import type { Log } from "../../runtime/log.ts";
import {
  OriginationMaterialError,
  originationContext,
  readOriginationPem,
} from "./origination-material.ts";

/** How late a changed file may be noticed. */
const LOOK_EVERY_MS = 2_000;

export interface OriginationsOptions {
  readonly log: Log;
  /** Certificates are others than before: connections that stand on the former ones serve no further request. */
  readonly changed: () => void;
  readonly lookEveryMs?: number;
}

interface Known {
  readonly origination: TlsOrigination;
  /** What was read last, as one text. */
  read: string | undefined;
  context: SecureContext | undefined;
  problem: string | undefined;
  reading: Promise<void> | undefined;
}

export class Originations {
  readonly #options: OriginationsOptions;
  readonly #known: Map<string, Known> = new Map();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: OriginationsOptions) {
    this.#options = options;
  }

  /** Those of the newest view; what only older ones had is forgotten. */
  apply({ outbound }: WorkloadView): void {
    const wanted = new Map(
      [...outbound.destinations, ...(outbound.subsets ?? [])].flatMap(({ tlsOrigination }) =>
        tlsOrigination === undefined ? [] : [[keyOf(tlsOrigination), tlsOrigination] as const],
      ),
    );
    for (const key of this.#known.keys()) if (!wanted.has(key)) this.#known.delete(key);
    for (const origination of wanted.values()) this.#of(origination);
    if (![...this.#known.values()].some(isOfFiles)) this.close();
  }

  /** Waits only for what was never read. @throws OriginationMaterialError */
  async contextOf(origination: TlsOrigination): Promise<SecureContext> {
    const known = this.#of(origination);
    if (known.context === undefined) await known.reading;
    if (known.context !== undefined) return known.context;
    throw new OriginationMaterialError(known.problem ?? "the certificates were not read yet");
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  get #lookEveryMs(): number {
    return this.#options.lookEveryMs ?? LOOK_EVERY_MS;
  }

  #of(origination: TlsOrigination): Known {
    const key = keyOf(origination);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const made: Known = {
      origination,
      read: undefined,
      context: undefined,
      problem: undefined,
      reading: undefined,
    };
    this.#known.set(key, made);
    this.#read(made);
    if (isOfFiles(made)) {
      this.#timer ??= setInterval(() => this.#look(), this.#lookEveryMs).unref();
    }
    return made;
  }

  #look(): void {
    for (const known of this.#known.values()) if (isOfFiles(known)) this.#read(known);
  }

  #read(known: Known): void {
    known.reading ??= this.#readNow(known).finally(() => {
      known.reading = undefined;
    });
  }

  async #readNow(known: Known): Promise<void> {
    const { origination } = known;
    try {
      const pem = await readOriginationPem(origination.material);
      const read = JSON.stringify(pem);
      if (read === known.read) return;
      const context = originationContext(origination, pem);
      const isFirst = known.read === undefined;
      known.read = read;
      known.context = context;
      known.problem = undefined;
      if (!isFirst) this.#options.changed();
    } catch (error) {
      this.#tell(known, describeError(error));
    }
  }

  /** Once for each problem. */
  #tell(known: Known, problem: string): void {
    if (problem === known.problem) return;
    known.problem = problem;
    this.#options.log.warn("certificates of a TLS origination cannot be used", {
      problem,
      meanwhile: known.context === undefined ? "calls fail" : "the last good ones stay in use",
    });
  }
}

function isOfFiles({ origination }: Known): boolean {
  return origination.material.from === "files";
}

/** Of all that a handshake needs; names, of which an application may say any number, are looked at after it. */
function keyOf({ mode, verification, material }: TlsOrigination): string {
  return JSON.stringify([mode, verification === "nothing", material]);
}
