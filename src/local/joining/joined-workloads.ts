/** Workloads of processes that joined, beside those of the files: where both define one, the files count. */
import type { Resource } from "../../api/resource.ts";
import { besideFiles } from "./joined-resources.ts";

export interface JoinedResources {
  readonly resources: readonly Resource[];
  /** Called when the files come to define a workload of the same name, which then takes its place. */
  readonly onDisplaced: () => void;
}

export class JoinedWorkloads {
  /** By `namespace/owner`. */
  readonly #joined: Map<string, JoinedResources> = new Map();

  set(name: string, joined: JoinedResources): void {
    this.#joined.set(name, joined);
  }

  delete(name: string): void {
    this.#joined.delete(name);
  }

  /** What they add to those of the files. */
  beside(files: readonly Resource[]): readonly Resource[] {
    const joined = [...this.#joined.values()].flatMap(({ resources }) => resources);
    return besideFiles(files, joined);
  }

  /** Whoever's name the files now give to another workload has left. */
  dismissDisplaced(files: readonly Resource[]): void {
    for (const [name, { resources, onDisplaced }] of this.#joined) {
      const left = besideFiles(files, resources);
      if (left.some(({ kind }) => kind === "Deployment")) continue;
      this.#joined.delete(name);
      onDisplaced();
    }
  }
}
