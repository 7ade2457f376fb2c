/**
 * The custom authority that a user puts into the Secret `cacerts` of `istio-system`, as the files that the control plane
 * reads. Source: Istio, "Plug in CA certificates".
 */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { replaceFile } from "../../runtime/atomic-file.ts";
import { InTurn } from "../../runtime/in-turn.ts";
import { objectAt, textAt } from "../api-server/kinds/json-access.ts";
import type { KubernetesObject } from "../api-server/kinds/kubernetes-object.ts";
import type { CommittedChange } from "../api-server/objects/object-change.ts";
import type { ObjectStore } from "../api-server/objects/object-store.ts";
import { SYSTEM_NAMESPACE } from "./projection/system-objects.ts";

const NAME = "cacerts";
/** The key last: what is read before is refused, since it does not fit. */
const FILES = ["root-cert.pem", "cert-chain.pem", "ca-cert.pem", "ca-key.pem"];

export class CacertsSecret {
  readonly #folder: string;
  readonly #store: ObjectStore;
  readonly #turns = new InTurn();

  /** @param folder of the data directory, closed to other users */
  constructor(folder: string, store: ObjectStore) {
    this.#folder = folder;
    this.#store = store;
  }

  /** Undefined while there is no such Secret: then the authority that signed last goes on, and its key is not kept here. */
  get folder(): string | undefined {
    return this.#secret === undefined ? undefined : this.#folder;
  }

  /** @throws Error of the file system */
  async write(): Promise<void> {
    await this.#turns.run(() => this.#writeFiles());
  }

  /** @returns ends it */
  follow(report: (error: unknown) => void): () => void {
    return this.#store.onChange((change) => {
      if (isCacerts(change)) this.write().catch(report);
    });
  }

  async #writeFiles(): Promise<void> {
    const secret = this.#secret;
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    for (const file of FILES) {
      const bytes = secret && bytesOf(secret, file);
      const path = join(this.#folder, file);
      if (bytes === undefined)
        await rm(path, { force: true }); // of an earlier Secret
      else await replaceFile(path, bytes, { mode: 0o600 });
    }
  }

  get #secret(): KubernetesObject | undefined {
    const kind = this.#store.kinds.find((one) => one.kind === "Secret" && one.group === "");
    return kind && this.#store.get({ kind, namespace: SYSTEM_NAMESPACE, name: NAME });
  }
}

function bytesOf(secret: KubernetesObject, file: string): Buffer | undefined {
  const plain = objectAt(secret, "stringData")[file];
  if (typeof plain === "string") return Buffer.from(plain);
  const text = textAt(secret, "data", file);
  return text === "" ? undefined : Buffer.from(text, "base64");
}

function isCacerts({ kind, namespace, name }: CommittedChange): boolean {
  return kind.kind === "Secret" && namespace === SYSTEM_NAMESPACE && name === NAME;
}
