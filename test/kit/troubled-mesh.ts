/** A mesh in which things are made to go wrong, and whoever uses it: kubectl, curl in its pods, and our own commands. */
import assert from "node:assert/strict";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "./eventually.ts";
import { type CommandResult, runHauberk } from "./hauberk-command.ts";
import { Kubectl } from "./kubectl-program.ts";
import { type RunningMesh, runMesh } from "./running-mesh.ts";

/** A control plane that hangs is given time to end; whoever waits for it asks again within 15 s. */
const WITHIN_MS = 90_000;

/** By curl. */
export interface Seen {
  /** `000` without an answer. */
  readonly status: string;
  readonly body: string;
}

export class TroubledMesh {
  readonly folder: string;
  readonly mesh: RunningMesh;
  readonly #kubectl: Kubectl;

  private constructor(folder: string, mesh: RunningMesh, kubectl: Kubectl) {
    this.folder = folder;
    this.mesh = mesh;
    this.#kubectl = kubectl;
  }

  /** @param others files beside those of the mesh, by name */
  static async start(others: Readonly<Record<string, string>> = {}): Promise<TroubledMesh> {
    const folder = await mkdtemp(join(tmpdir(), "hauberk-issues-"));
    await cp("test/meshes/common-issues", folder, { recursive: true });
    for (const [name, text] of Object.entries(others)) await writeFile(join(folder, name), text);
    const mesh = await runMesh([folder]);
    return new TroubledMesh(folder, mesh, await Kubectl.of(mesh.data));
  }

  async stop(): Promise<void> {
    await this.mesh.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** @param line its arguments, none with a space in it */
  async kubectl(line: string, input = ""): Promise<string> {
    const { code, output, errors } = await this.#kubectl.run(line.split(" "), { input });
    assert.equal(code, 0, `kubectl ${line}: ${errors}`);
    return output.toString("utf8");
  }

  /** What is named `cause`, in namespace `shop`. @param spec YAML in one line */
  async apply(kind: string, spec: string): Promise<void> {
    const group = kind === "DestinationRule" ? "networking" : "security";
    await this.kubectl(
      "apply -f -",
      `apiVersion: ${group}.istio.io/v1\nkind: ${kind}\nmetadata: {name: cause, namespace: shop}\nspec: ${spec}\n`,
    );
  }

  /** @param from `NAMESPACE/DEPLOYMENT` */
  async call(from: string, url: string, options = ""): Promise<Seen> {
    const [namespace = "", name] = from.split("/");
    const curl = `curl -s -m 20 -w '\\n%{http_code}' ${options} ${url}`;
    const where = ["exec", "-n", namespace, `deploy/${name}`, "--", "sh", "-c", curl];
    const { output } = await this.#kubectl.run(where);
    const lines = output.toString("utf8").split("\n");
    return { status: lines.pop() ?? "", body: lines.join("\n") };
  }

  /** Resolves once the call ends so. */
  async sees(from: string, url: string, status: string, options = ""): Promise<Seen> {
    let last: Seen | undefined;
    return eventually(
      () => `${from} to see ${status} of ${url}; last: ${JSON.stringify(last)}`,
      async () => {
        last = await this.call(from, url, options);
        return last.status === status && last;
      },
      { withinMs: WITHIN_MS },
    );
  }

  hauberk(...parameters: readonly string[]): Promise<CommandResult> {
    return runHauberk([...parameters, "--data", this.mesh.data]);
  }

  /** What `hauberk explain` says of `GET /`. */
  async explain(from: string, to: string, ...others: readonly string[]): Promise<string> {
    const asked = ["--from", from, "--to", to, "--request", "GET /"];
    const { output, errors } = await this.hauberk("explain", ...asked, ...others);
    return output + errors;
  }
}
