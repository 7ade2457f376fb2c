/** kubectl as a process of its own, against a mesh that runs. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { access } from "node:fs/promises";
import { join } from "node:path";
import { kubectlInPath } from "./kubectl-in-path.ts";
import { until } from "./until.ts";

export interface KubectlOutcome {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly output: Buffer;
  readonly errors: string;
}

export interface StartedKubectl {
  readonly child: ChildProcess;
  /** Both outputs so far. */
  readonly said: () => string;
  readonly ended: Promise<KubectlOutcome>;
}

export class Kubectl {
  readonly #kubeconfig: string;

  private constructor(kubeconfig: string) {
    this.#kubeconfig = kubeconfig;
  }

  /** @param data data directory of the mesh, which may be about to open its API */
  static async of(data: string): Promise<Kubectl> {
    await kubectlInPath();
    const kubeconfig = join(data, "kubeconfig");
    await until("a kubeconfig", () =>
      access(kubeconfig).then(
        () => true,
        () => false,
      ),
    );
    return new Kubectl(kubeconfig);
  }

  start(
    parameters: readonly string[],
    environment: Readonly<Record<string, string>> = {},
  ): StartedKubectl {
    const child = spawn("kubectl", parameters, {
      env: { ...process.env, ...environment, KUBECONFIG: this.#kubeconfig },
      stdio: "pipe",
    });
    const output: Buffer[] = [];
    const errors: Buffer[] = [];
    child.stdout.on("data", (part: Buffer) => output.push(part));
    child.stderr.on("data", (part: Buffer) => errors.push(part));
    const ended = once(child, "close").then(([code]) => ({
      code: code as number | null,
      output: Buffer.concat(output),
      errors: Buffer.concat(errors).toString("utf8"),
    }));
    return { child, said: () => Buffer.concat([...output, ...errors]).toString("utf8"), ended };
  }

  /** To its end. */
  run(
    parameters: readonly string[],
    {
      input = "",
      environment,
    }: {
      readonly input?: string | Buffer;
      readonly environment?: Readonly<Record<string, string>>;
    } = {},
  ): Promise<KubectlOutcome> {
    const { child, ended } = this.start(parameters, environment);
    child.stdin?.on("error", () => {}); // it does not read what it has no use for
    child.stdin?.end(input);
    return ended;
  }
}
