/** Real Envoy with many sets at once, each on ports of its own; one process for a batch. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SocketAddress } from "../../src/policy/workload.ts";
import type { EnvoyProgram } from "../kit/envoy-program.ts";
import { eventually } from "../kit/eventually.ts";
import { freePort } from "../kit/free-port.ts";
import type { Application } from "./application.ts";
import { callAll } from "./call-over-sockets.ts";
import { type Call, type Outcome, PORT_ADDRESSES, type PolicySet } from "./question.ts";
import { type ServedSet, staticBootstrap } from "./static-bootstrap.ts";
import { type Translated, translate } from "./translate.ts";
import { type Placement, viewOfSet } from "./view-of-set.ts";

export interface AskedOfEnvoy {
  readonly set: PolicySet;
  readonly calls: readonly Call[];
  /** What a translator with a fault would have written instead. */
  readonly corrupt?: (translated: Translated) => Translated;
  /** Whether the proxy is told nothing by ECDS: it has what it was given to begin with. */
  readonly withheld?: true;
}

/** What is seen of calls to a set that Envoy cannot be started with. */
export const REFUSED_CONFIGURATION = "configuration refused";

/** A port that was free a moment ago is another's now. */
const TAKEN = /cannot bind|Address already in use/;
/** How often a batch is begun anew on other ports, before something else must be wrong. */
const MAX_NEW_PORTS = 5;

class RefusedConfigurationError extends Error {}

/** How many sets' calls are under way at once. */
const AT_ONCE = 8;
/** On a machine that is busy with others a batch of listeners takes its time. */
const START_MS = 300_000;
/** Of its last words; what is before them is the configuration. */
const MAX_SAID = 1_500;

export class EnvoyLane {
  readonly #program: EnvoyProgram;
  readonly #behind: Pick<Placement, "application" | "authorizer">;
  /** Taken over by the next batch once Envoy is gone. */
  readonly #ports: number[] = [];

  constructor(program: EnvoyProgram, application: Application) {
    this.#program = program;
    const { address, authorizer } = application;
    this.#behind = { application: address, authorizer };
  }

  /**
   * A set that Envoy refuses to be started with takes no call: its outcomes say so.
   *
   * @returns for each, the outcomes in the order of its calls
   * @throws Error when one port after the other is another's
   */
  async ask(batch: readonly AskedOfEnvoy[]): Promise<readonly (readonly Outcome[])[]> {
    return this.#ask(batch, MAX_NEW_PORTS);
  }

  async #ask(
    batch: readonly AskedOfEnvoy[],
    newPortsLeft: number,
  ): Promise<readonly (readonly Outcome[])[]> {
    const served = await this.#place(batch);
    let envoy: RunningEnvoy;
    try {
      envoy = await RunningEnvoy.start(this.#program, served);
    } catch (error) {
      if (!(error instanceof RefusedConfigurationError)) throw error;
      if (TAKEN.test(error.message)) {
        if (newPortsLeft === 0) throw error;
        this.#ports.length = 0;
        return this.#ask(batch, newPortsLeft - 1);
      }
      return this.#askHalves(batch);
    }
    try {
      return await inTurns(served, ({ asked, placeOf }) => callAll(asked.calls, placeOf));
    } finally {
      await envoy.stop();
    }
  }

  /** Finds those that are refused. */
  async #askHalves(batch: readonly AskedOfEnvoy[]): Promise<readonly (readonly Outcome[])[]> {
    const [only] = batch;
    if (only === undefined) return [];
    if (batch.length === 1)
      return [only.calls.map(() => ({ verdict: "denied", seen: REFUSED_CONFIGURATION }))];
    const half = Math.ceil(batch.length / 2);
    const first = await this.ask(batch.slice(0, half));
    return [...first, ...(await this.ask(batch.slice(half)))];
  }

  /** What our translator writes for a set, whatever its ports will be. */
  translated(set: PolicySet): Translated {
    const listen = (containerPort: number): number => containerPort;
    const view = viewOfSet(set, { listen, ...this.#behind });
    return translate(view, { form: set.form, version: this.#program.version });
  }

  async #place(batch: readonly AskedOfEnvoy[]): Promise<readonly Placed[]> {
    const placed: Placed[] = [];
    let taken = 0;
    for (const asked of batch) {
      const ports = new Map<number, number>();
      for (const { containerPort } of asked.set.ports) {
        this.#ports[taken] ??= await freePort();
        ports.set(containerPort, this.#ports[taken] ?? 0);
        taken += 1;
      }
      const listen = (containerPort: number): number => ports.get(containerPort) ?? 0;
      const view = viewOfSet(asked.set, { listen, ...this.#behind });
      const translated = translate(view, { form: asked.set.form, version: this.#program.version });
      placed.push({
        asked,
        translated: asked.corrupt?.(translated) ?? translated,
        ...(asked.withheld && { withheld: true }),
        placeOf: (containerPort) => ({
          address: PORT_ADDRESSES.get(containerPort) ?? "",
          port: listen(containerPort),
        }),
      });
    }
    return placed;
  }
}

interface Placed extends ServedSet {
  readonly asked: AskedOfEnvoy;
  readonly placeOf: (containerPort: number) => SocketAddress;
}

class RunningEnvoy {
  readonly #child: ChildProcess;
  readonly #folder: string;
  #said = "";

  private constructor(child: ChildProcess, folder: string) {
    this.#child = child;
    this.#folder = folder;
    child.stderr?.on("data", (text: Buffer) => {
      this.#said = (this.#said + text.toString()).slice(-MAX_SAID);
    });
  }

  static async start({ path }: EnvoyProgram, sets: readonly Placed[]): Promise<RunningEnvoy> {
    const folder = await mkdtemp(join(tmpdir(), "hauberk-differential-"));
    const file = join(folder, "envoy.json");
    await writeFile(file, JSON.stringify(staticBootstrap(sets)));
    const child = spawn(
      path,
      ["-c", file, "--concurrency", "1", "--use-dynamic-base-id", "--log-level", "error"],
      { stdio: ["ignore", "ignore", "pipe"] },
    );
    const running = new RunningEnvoy(child, folder);
    try {
      const places = sets.map(({ asked, placeOf }) =>
        placeOf(asked.set.ports[0]?.containerPort ?? 0),
      );
      for (const place of [places[0], places.at(-1)]) if (place) await running.#listens(place);
    } catch (error) {
      await running.stop();
      throw error;
    }
    return running;
  }

  async #listens({ address, port }: SocketAddress): Promise<void> {
    await eventually(
      () => `Envoy to listen on ${address} ${port}: ${this.#said}`,
      () => {
        if (this.#child.exitCode !== null || this.#child.signalCode !== null)
          throw new RefusedConfigurationError(this.#said);
        return new Promise<boolean>((resolve) => {
          const socket = connect({ host: address, port });
          socket.once("connect", () => resolve(true));
          socket.once("error", () => resolve(false));
          socket.once("connect", () => socket.destroy());
        });
      },
      { withinMs: START_MS },
    );
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill("SIGKILL");
      await once(this.#child, "exit");
    }
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** Some at once, all in the end; in order. */
export async function inTurns<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
  atOnce: number = AT_ONCE,
): Promise<readonly Result[]> {
  const results = new Map<Item, Result>();
  const left = items.values();
  const worker = async (): Promise<void> => {
    for (const item of left) results.set(item, await work(item));
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return items.map((item) => results.get(item) as Result);
}
