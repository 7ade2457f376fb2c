/** A mesh whose files a test may change, and kubectl, which is asked of one namespace of it. */
import assert from "node:assert/strict";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Kubectl, type KubectlOutcome } from "./kubectl-program.ts";
import { type RunningMesh, runMesh } from "./running-mesh.ts";

export interface KubectlMeshOptions {
  /** Whose `mesh.yaml` is copied, with all beside it. */
  readonly files: string;
  readonly namespace: string;
  /** Of the copy, before the mesh starts. */
  readonly edit?: (text: string) => string;
}

export class KubectlMesh {
  readonly #folder: string;
  readonly #mesh: RunningMesh;
  readonly #kubectl: Kubectl;
  readonly #namespace: string;

  private constructor(
    folder: string,
    parts: {
      readonly mesh: RunningMesh;
      readonly kubectl: Kubectl;
      readonly namespace: string;
    },
  ) {
    this.#folder = folder;
    this.#mesh = parts.mesh;
    this.#kubectl = parts.kubectl;
    this.#namespace = parts.namespace;
  }

  static async start({ files, namespace, edit }: KubectlMeshOptions): Promise<KubectlMesh> {
    const folder = await mkdtemp(join(tmpdir(), "hauberk-kubectl-"));
    await cp(files, folder, { recursive: true });
    if (edit !== undefined) await editFile(join(folder, "mesh.yaml"), edit);
    const mesh = await runMesh([folder]);
    const kubectl = await Kubectl.of(mesh.data);
    return new KubectlMesh(folder, { mesh, kubectl, namespace });
  }

  /** What `mesh.yaml` says from now on. */
  edit(change: (text: string) => string): Promise<void> {
    return editFile(join(this.#folder, "mesh.yaml"), change);
  }

  /** What kubectl prints; that it ends well is asserted. */
  async run(...parameters: readonly string[]): Promise<string> {
    const { code, output, errors } = await this.ask(...parameters);
    assert.equal(code, 0, errors);
    return output.toString("utf8");
  }

  ask(...parameters: readonly string[]): Promise<KubectlOutcome> {
    return this.#kubectl.run(["-n", this.#namespace, ...parameters]);
  }

  async stop(): Promise<void> {
    await this.#mesh.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

async function editFile(file: string, change: (text: string) => string): Promise<void> {
  await writeFile(file, change(await readFile(file, "utf8")));
}
