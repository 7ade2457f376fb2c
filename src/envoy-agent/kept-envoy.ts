/** Keeps an Envoy running: one that ends by itself is started again at once, by an agent that has all it needs. */
import { setTimeout as delay } from "node:timers/promises";
import { describeError } from "../runtime/hauberk-error.ts";
import type { Log } from "../runtime/log.ts";
import { rememberEnvoy } from "./earlier-envoy.ts";
import { EnvoyProcess, type EnvoyProcessOptions } from "./envoy-process.ts";

/** One that served so long counts as well. */
const SETTLED_MS = 10_000;
/** In a row: then whoever supervises the agent decides. */
const MOST_ENDS = 4;
const PAUSE_MS = 100;
/** Its last words may hold all that it was sent. */
const MAX_PROBLEM_CHARACTERS = 512;

export interface KeptEnvoyOptions extends EnvoyProcessOptions {
  /** Told whenever it begins to serve, and ceases to. */
  readonly onState: (state: "ready" | "starting") => void;
  /** Told each time it ended by itself and is started again. @param problem its last words among them */
  readonly onRestart?: ((problem: string) => void) | undefined;
  readonly log: Log;
}

export class KeptEnvoy {
  readonly #options: KeptEnvoyOptions;
  #current: EnvoyProcess;
  #isEnding = false;
  /** Rejects when it ends again and again, or does not come up. */
  readonly failed: Promise<never>;

  private constructor(options: KeptEnvoyOptions, first: EnvoyProcess) {
    this.#options = options;
    this.#current = first;
    this.failed = this.#keep();
    this.failed.catch(() => undefined); // whoever waits for it hears of it
  }

  /**
   * Resolves once it serves.
   *
   * @throws EnvoyEndedError
   */
  static async start(options: KeptEnvoyOptions): Promise<KeptEnvoy> {
    return new KeptEnvoy(options, await startOnce(options));
  }

  get processId(): number | undefined {
    return this.#current.processId;
  }

  /** See `EnvoyProcess`. */
  async drain(): Promise<void> {
    this.#isEnding = true;
    await this.#current.drain();
  }

  async stop(): Promise<void> {
    this.#isEnding = true;
    await this.#current.stop();
  }

  async #keep(): Promise<never> {
    const { log, onState, onRestart } = this.#options;
    for (let ends = 1; ; ends++) {
      const since = performance.now();
      const error: unknown = await this.#current.ended.catch((reason: unknown) => reason);
      if (performance.now() - since >= SETTLED_MS) ends = 1;
      if (this.#isEnding || ends >= MOST_ENDS) throw error;
      const problem = describeError(error);
      onState("starting");
      onRestart?.(problem.slice(0, MAX_PROBLEM_CHARACTERS));
      log.error("Envoy ended, and is started again", { problem });
      await delay(PAUSE_MS * (ends - 1));
      if (this.#isEnding) throw error;
      this.#current = await startOnce(this.#options, (started) => {
        this.#current = started;
      });
      onState("ready");
    }
  }
}

/** @param onStarted told of the process before it serves: whoever ends the agent meanwhile must find it */
async function startOnce(
  options: KeptEnvoyOptions,
  onStarted: (envoy: EnvoyProcess) => void = () => {},
): Promise<EnvoyProcess> {
  const envoy = EnvoyProcess.start(options);
  onStarted(envoy);
  try {
    await rememberEnvoy(options.folder, envoy.processId);
    await envoy.ready();
  } catch (error) {
    await envoy.stop();
    throw error;
  }
  options.log.info("Envoy serves", { processId: envoy.processId });
  return envoy;
}
