/** `hauberk up --network namespaces` as an ordinary user, from the build, with manifests that a test changes. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text as readText } from "node:stream/consumers";
import type { MeshState, RunningProcess } from "../../src/local/mesh-state.ts";
import type { MeshStatus } from "../../src/local/mesh-status.ts";
import type { IpAddresses } from "../../src/policy/workload.ts";
import { runAs } from "../interop/namespaces/run-inside.ts";
import { eventually } from "./eventually.ts";
import { type OrdinaryUser, ordinaryUser } from "./ordinary-user.ts";
import { PodAgent } from "./pod-agent.ts";

const IN_FORCE = /a change is in force|what the files say is in force|the change .*is refused/g;

/** @returns why there can be no mesh in namespaces here; false when there can */
export function namespacesMissing(): string | false {
  const script = "test/interop/namespaces/examine.ts";
  const { stdout, stderr, status } = runAs("ordinary", { script, where: "on the host" });
  if (status !== 0) throw new Error(stderr);
  return stdout !== "" && `this machine does not allow it: ${stdout}`;
}

export class MeshInNamespaces {
  readonly data: string;
  readonly manifests: string;
  readonly #user: OrdinaryUser;
  #child: ChildProcess | undefined;
  #said = "";

  readonly #parameters: readonly string[];

  private constructor(user: OrdinaryUser, data: string, parameters: readonly string[]) {
    this.#user = user;
    this.#parameters = parameters;
    this.data = join(user.folder, data);
    this.manifests = join(user.folder, "manifests");
  }

  /**
   * Starts a mesh from copies of folders, and from files of the test.
   *
   * @param from.texts by file name
   * @param from.data the data directory, within the user's folder
   * @param from.parameters more of `hauberk up`
   */
  static async start(from: {
    readonly folders?: readonly string[];
    readonly texts?: Readonly<Record<string, string>>;
    readonly data?: string;
    readonly parameters?: readonly string[];
  }): Promise<MeshInNamespaces> {
    const mesh = new MeshInNamespaces(
      await ordinaryUser(),
      from.data ?? "data",
      from.parameters ?? [],
    );
    try {
      await mkdir(mesh.manifests);
      for (const folder of from.folders ?? [])
        await cp(folder, mesh.manifests, { recursive: true });
      for (const [file, text] of Object.entries(from.texts ?? {})) await mesh.#write(file, text);
      await mesh.#ownAll();
      await mesh.up();
    } catch (error) {
      await mesh.remove();
      throw error;
    }
    return mesh;
  }

  /** What `up` printed so far. */
  get said(): string {
    return this.#said;
  }

  /** Starts it, at first and after `down`. */
  async up(): Promise<void> {
    const [program, ...before] = this.#user.hauberk;
    const child = spawn(
      program,
      [
        ...before,
        "up",
        ...["--network", "namespaces", "--data", this.data, "-f", this.manifests],
        ...this.#parameters,
      ],
      { stdio: ["ignore", "pipe", "pipe"], env: this.#user.environment, cwd: this.#user.folder },
    );
    this.#child = child;
    this.#said = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (part: Buffer) => {
        this.#said += part.toString();
      });
    }
    await eventually(
      () => `the mesh to be up, in: ${this.#said}`,
      () => {
        if (child.exitCode !== null || child.signalCode !== null)
          throw new Error(`the mesh did not come up:\n${this.#said}`);
        return this.#said.includes("the mesh is up after");
      },
    );
  }

  /** Ends it, as Ctrl-C does; what it keeps stays. */
  async down(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGTERM");
    await once(child, "exit");
  }

  /** Ends it, and leaves nothing. */
  async remove(): Promise<void> {
    await this.down();
    await this.#user.remove();
  }

  /**
   * Writes a manifest, or takes it away, and returns once `up` says that this is in force.
   *
   * @param text absent: the file is to go
   * @throws Error when `up` refuses it
   */
  async change(file: string, text?: string): Promise<void> {
    const answers = (): readonly string[] => this.#said.match(IN_FORCE) ?? [];
    const before = answers().length;
    if (text === undefined) await rm(join(this.manifests, file));
    else await this.#write(file, text);
    await eventually(
      () => `an answer to the change, in: ${this.#said}`,
      () => answers().length > before,
    );
    const answer = answers().at(-1) ?? "";
    if (answer.includes("refused")) throw new Error(this.#said);
  }

  agent(pod: string): PodAgent {
    return new PodAgent(this.data, pod);
  }

  async state(): Promise<MeshState> {
    return JSON.parse(await this.read("mesh.json")) as MeshState;
  }

  /** @param pod `namespace/pod` */
  async addresses(pod: string): Promise<IpAddresses> {
    const { workloads } = await this.state();
    const found = workloads.find(({ namespace, name }) => `${namespace}/${name}` === pod);
    if (found?.addresses === undefined) throw new Error(`no addresses of ${pod}`);
    return found.addresses;
  }

  async process(title: string): Promise<RunningProcess> {
    const found = (await this.state()).processes.find((process) => process.title === title);
    if (found === undefined) throw new Error(`no process ${title}`);
    return found;
  }

  async status(): Promise<MeshStatus> {
    return JSON.parse(await this.ask("status", "--json")) as MeshStatus;
  }

  /** What `hauberk` says to these parameters. Asked by the user: a mesh answers nobody else. */
  async ask(...parameters: readonly string[]): Promise<string> {
    const [program, ...before] = this.#user.hauberk;
    const child = spawn(program, [...before, ...parameters, "--data", this.data], {
      stdio: ["ignore", "pipe", "inherit"],
      env: this.#user.environment,
      cwd: this.#user.folder,
    });
    return readText(child.stdout);
  }

  /** Text of a file below the data directory. */
  read(path: string): Promise<string> {
    return readFile(join(this.data, path), "utf8");
  }

  /** In one step, so that nobody reads half of it. */
  async #write(file: string, text: string): Promise<void> {
    const next = join(this.#user.folder, `next-${file}`);
    await writeFile(next, text);
    await this.#user.own(next);
    await rename(next, join(this.manifests, file));
  }

  async #ownAll(): Promise<void> {
    const all = await readdir(this.manifests, { recursive: true });
    for (const path of ["", ...all]) await this.#user.own(join(this.manifests, path));
  }
}

/** Whether a program that a test needs is on this machine. */
export function hasProgram(program: string, ...parameters: readonly string[]): boolean {
  return spawnSync(program, parameters, { stdio: "ignore" }).status === 0;
}
