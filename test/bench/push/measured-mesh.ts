/** A control plane and its simulated proxies, each in a process of its own, and what one change costs. */
import { type ChildProcess, fork } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { ServiceAccountTokens } from "../../../src/ca/service-account-tokens.ts";
import type { RunningNow } from "../../../src/control/control-plane-messages.ts";
import type { WrittenText } from "../../../src/control/written-texts.ts";
import { bundledProcesses } from "./bundled-processes.ts";
import type {
  ControlUsage,
  FromControl,
  FromProxies,
  ProxyCounts,
  SimulatedPod,
  ToControl,
  ToProxies,
} from "./control-messages.ts";
import type { PushMesh } from "./push-mesh.ts";

const TOKEN_LIFETIME_MS = 3_600_000;
/** After the last response nothing more is expected to come of a change. */
const QUIET_MS = 600;
const PATIENCE_MS = 300_000;

export interface Connected {
  /** From the first connection to the last proxy that had all. */
  readonly seconds: number;
  readonly refused: number;
  /** Of the control plane, for each proxy. */
  readonly cpuMs: number;
  /** Of the proxies, for each. */
  readonly proxyCpuMs: number;
  readonly usage: ControlUsage;
}

/** What came of one change. */
export interface Pushed {
  /** From the change to the first and the last proxy that was told, in milliseconds. */
  readonly firstMs: number;
  readonly lastMs: number;
  /** How many were told. */
  readonly proxies: number;
  /** That carried the change, for each of them. */
  readonly bytes: number;
  /** The same of all that came with it. */
  readonly bytesOfAll: number;
  /** Of all that came, before it was packed. */
  readonly plainBytesOfAll: number;
  /** Of the control plane. */
  readonly cpuSeconds: number;
  /** Of all proxies. */
  readonly proxyCpuSeconds: number;
}

export class MeasuredMesh {
  readonly #control: Worker<ToControl, FromControl>;
  readonly #proxies: Worker<ToProxies, FromProxies>;
  readonly #directory: string;
  readonly #tokens: ServiceAccountTokens;
  readonly #mesh: PushMesh;
  readonly #address: { readonly port: number; readonly rootPem: string };

  private constructor(parts: {
    readonly control: Worker<ToControl, FromControl>;
    readonly proxies: Worker<ToProxies, FromProxies>;
    readonly directory: string;
    readonly tokens: ServiceAccountTokens;
    readonly mesh: PushMesh;
    readonly address: { readonly port: number; readonly rootPem: string };
  }) {
    this.#control = parts.control;
    this.#proxies = parts.proxies;
    this.#directory = parts.directory;
    this.#tokens = parts.tokens;
    this.#mesh = parts.mesh;
    this.#address = parts.address;
  }

  static async start(mesh: PushMesh): Promise<MeasuredMesh> {
    const directory = await mkdtemp(join(tmpdir(), "hauberk-push-"));
    const tokens = await ServiceAccountTokens.open(directory);
    const [controlProgram, proxiesProgram] = await bundledProcesses();
    const control = new Worker<ToControl, FromControl>(controlProgram);
    const proxies = new Worker<ToProxies, FromProxies>(proxiesProgram);
    control.send({ type: "start", dataDirectory: directory, ...mesh });
    const { port, rootPem } = await control.receive("serving");
    const address = { port, rootPem };
    return new MeasuredMesh({ control, proxies, directory, tokens, mesh, address });
  }

  /** All at once. */
  async connect(): Promise<Connected> {
    const pods = await this.#pods();
    const before = await this.usage();
    this.#proxies.send({ type: "connect", ...this.#address, proxies: pods });
    const { seconds, refused, cpuSeconds } = await this.#proxies.receive("synced");
    await delay(QUIET_MS);
    const usage = await this.usage();
    const cpuMs = ((usage.cpuSeconds - before.cpuSeconds) * 1000) / pods.length;
    const proxyCpuMs = (cpuSeconds * 1000) / pods.length;
    return { seconds, refused, cpuMs, proxyCpuMs, usage };
  }

  /** @param type of the resources that carry the change */
  async push(
    type: string,
    change: { readonly texts?: readonly WrittenText[]; readonly running?: RunningNow },
    { proxies }: { readonly proxies: number },
  ): Promise<Pushed> {
    const before = await this.usage();
    this.#proxies.send({ type: "count" });
    const started = process.hrtime.bigint();
    if (change.texts) this.#control.send({ type: "texts", texts: change.texts });
    if (change.running) this.#control.send({ type: "running", running: change.running });
    const counts = await this.#settled(type, proxies);
    const usage = await this.usage();
    const told = counts.types[type];
    if (told === undefined) throw new Error(`nobody was told of any ${type}`);
    const types = Object.values(counts.types);
    const all = types.reduce((sum, { bytes }) => sum + bytes, 0);
    const plain = types.reduce((sum, { plainBytes }) => sum + plainBytes, 0);
    return {
      firstMs: Number(BigInt(told.first) - started) / 1e6,
      lastMs: Number(BigInt(told.last) - started) / 1e6,
      proxies: told.proxies,
      bytes: told.bytes / told.proxies,
      bytesOfAll: all / told.proxies,
      plainBytesOfAll: plain / told.proxies,
      cpuSeconds: usage.cpuSeconds - before.cpuSeconds,
      proxyCpuSeconds: counts.cpuSeconds,
    };
  }

  async usage(): Promise<ControlUsage> {
    this.#control.send({ type: "usage" });
    return this.#control.receive("usage");
  }

  async stop(): Promise<void> {
    await Promise.all([this.#control.stop(), this.#proxies.stop()]);
    await rm(this.#directory, { recursive: true });
  }

  /** Once as many were told as expected, or in vain, and nothing more comes. */
  async #settled(type: string, proxies: number): Promise<ProxyCounts> {
    const until = performance.now() + PATIENCE_MS;
    let last = "";
    for (;;) {
      await delay(QUIET_MS);
      this.#proxies.send({ type: "tell" });
      const { counts } = await this.#proxies.receive("counts");
      const text = JSON.stringify(counts.types);
      const isAll = (counts.types[type]?.proxies ?? 0) >= proxies;
      if ((isAll && text === last) || performance.now() > until) return counts;
      last = text;
    }
  }

  async #pods(): Promise<readonly SimulatedPod[]> {
    const now = new Date();
    const lifetimeMs = TOKEN_LIFETIME_MS;
    return Promise.all(
      this.#mesh.running.workloads.map(async ({ namespace, name, uid, serviceAccount }) => {
        const bearer = { namespace, podName: name, podUid: uid, serviceAccount };
        const token = await this.#tokens.issue({ ...bearer, now, lifetimeMs });
        return { pod: `${namespace}/${name}`, token };
      }),
    );
  }
}

class Worker<In extends object, Out extends { readonly type: string }> {
  readonly #child: ChildProcess;

  constructor(program: string) {
    this.#child = fork(program, { execArgv: [] });
  }

  send(message: In): void {
    this.#child.send(message);
  }

  receive<Type extends Out["type"]>(type: Type): Promise<Extract<Out, { readonly type: Type }>> {
    return new Promise((resolve, reject) => {
      const take = (message: Out): void => {
        if (message.type !== type) return;
        this.#child.off("message", take);
        this.#child.off("exit", fail);
        resolve(message as Extract<Out, { readonly type: Type }>);
      };
      const fail = (code: number | null): void => reject(new Error(`it ended with ${code}`));
      this.#child.on("message", take);
      this.#child.once("exit", fail);
    });
  }

  stop(): Promise<void> {
    return new Promise((resolve) => {
      this.#child.once("exit", () => resolve());
      this.#child.disconnect();
    });
  }
}
