/** A running mesh and its objects, each kept in step with the other. */
import type { Clock } from "../../runtime/clock.ts";
import { describeError } from "../../runtime/hauberk-error.ts";
import { textAt, valueAt } from "../api-server/kinds/json-access.ts";
import type { KubernetesObject } from "../api-server/kinds/kubernetes-object.ts";
import { isSameJson } from "../api-server/objects/json-fields.ts";
import type { CommittedChange } from "../api-server/objects/object-change.ts";
import type { LocalMesh } from "../local-mesh.ts";
import { EventRecorder } from "./events/event-recorder.ts";
import { happeningsOf } from "./events/happenings-of.ts";
import { problemHappenings } from "./events/problem-happenings.ts";
import { refusalHappenings } from "./events/refusal-happenings.ts";
import type { MeshObjects } from "./mesh-objects.ts";
import { FactsOf } from "./projection/facts-of.ts";
import type { MeshFacts } from "./projection/mesh-facts.ts";
import { MeshProjection } from "./projection/mesh-projection.ts";
import {
  CONTROL_PLANE,
  controlPlaneReference,
  isControlPlane,
  isControlPlanePod,
  SYSTEM_NAMESPACE,
} from "./projection/system-objects.ts";

/** Several changes of one moment are shown at once. */
const SHOW_AFTER_MS = 20;
/** Not everything that happens to a process is told. */
const LOOK_AGAIN_MS = 1_000;

/** What the mesh writes is no reason to look again. */
const SHOWN_KINDS = ["Pod", "EndpointSlice", "Endpoints", "Event"];

export interface BoundMeshOptions {
  readonly clock: Clock;
  /** What came of a change; absent problem: it is in force. */
  readonly tell: (problem: string | undefined) => void;
  /** What went wrong behind anybody's back. */
  readonly report: (problem: string) => void;
}

export class BoundMesh {
  readonly #mesh: LocalMesh;
  readonly #objects: MeshObjects;
  readonly #options: BoundMeshOptions;
  readonly #facts: FactsOf;
  readonly #projection: MeshProjection;
  readonly #recorder: EventRecorder;
  /** When it was looked at last. */
  #seen: MeshFacts | undefined;
  readonly #ends: (() => void)[] = [];
  /** By uid: the newest generation of an owner that the mesh took up, whatever came of it. */
  #observed: ReadonlyMap<string, number>;
  #timer: NodeJS.Timeout | undefined;
  /** "again": what is written has changed since. */
  #applying: "idle" | "busy" | "again" = "idle";

  constructor(mesh: LocalMesh, objects: MeshObjects, options: BoundMeshOptions) {
    this.#mesh = mesh;
    this.#objects = objects;
    this.#options = options;
    this.#facts = new FactsOf(mesh, options.clock);
    this.#projection = new MeshProjection(objects.store);
    this.#recorder = new EventRecorder(objects.store);
    this.#ends.push(() => this.#recorder.close());
    this.#observed = objects.generations();
    objects.checkWith((written) => mesh.check(written));
    this.#ends.push(
      objects.written.onChange((written) => {
        mesh.announce(written); // policies wait for nothing that has to be started
        setImmediate(() => void this.#apply());
      }),
      objects.store.onChange((change) => this.#follow(change)),
      objects.store.onChange((change) => {
        for (const happening of happeningsOf(change)) this.#recorder.record(happening);
      }),
      mesh.onChange(() => this.#showSoon()),
    );
    const looking = setInterval(() => this.#showSoon(), LOOK_AGAIN_MS).unref();
    this.#ends.push(() => clearInterval(looking));
    this.#show();
  }

  close(): void {
    for (const end of this.#ends) end();
    clearTimeout(this.#timer);
  }

  /** Of changes that come meanwhile the last is what counts. */
  async #apply(): Promise<void> {
    if (this.#applying !== "idle") {
      this.#applying = "again";
      return;
    }
    do {
      this.#applying = "busy";
      const generations = this.#objects.generations();
      const takenUp = (): void => {
        this.#observed = generations;
        this.#showSoon();
      };
      const problem = await this.#mesh.apply(this.#objects.written.current, takenUp).then(
        () => undefined,
        (error: unknown) => describeError(error),
      );
      takenUp();
      if (this.#isBusy) this.#tell(problem);
    } while (!this.#isBusy);
    this.#applying = "idle";
    this.#showSoon();
  }

  #tell(problem: string | undefined): void {
    this.#options.tell(problem);
    if (problem !== undefined) this.tellRefusal(problem);
  }

  /** What is wished and not done shows among the events of the control plane. */
  tellRefusal(problem: string): void {
    this.#recorder.record({
      about: controlPlaneReference(this.#objects.store),
      type: "Warning",
      reason: "ChangeRefused",
      message: problem,
      component: "hauberk",
    });
  }

  /** And nothing has changed since. */
  get #isBusy(): boolean {
    return this.#applying === "busy";
  }

  /** What somebody did to an object that the mesh wrote. */
  #follow(change: CommittedChange): void {
    const { kind, type, before, after, object } = change;
    const isGoing = type === "DELETED" || object.metadata.deletionTimestamp !== undefined;
    // Its status changes while it goes.
    const wasGoing = before?.metadata.deletionTimestamp !== undefined;
    if (kind.kind === "Pod" && isGoing) this.#shorten(object);
    if (kind.kind === "Pod" && isGoing && !wasGoing) this.#replace(object);
    if (isControlPlane(change) && before !== undefined && after !== undefined)
      this.#restartControlPlane(before, after);
    if (!SHOWN_KINDS.includes(kind.kind)) this.#showSoon();
  }

  /** A pod that is deleted is made anew, as whatever owns it wants. */
  #replace({ metadata }: KubernetesObject): void {
    const key = `${metadata.namespace}/${metadata.name}`;
    if (isControlPlanePod(metadata)) this.#restartIfRunning(metadata);
    const pod = this.#mesh.pods.find((one) => one.key === key);
    if (pod === undefined || pod.plan.workload.uid !== metadata.uid) return;
    if (!this.#projection.isOwned(pod.plan.workload)) return; // it goes with what made it
    this.#mesh.replace(key).catch((error: unknown) => this.#options.report(describeError(error)));
  }

  /** Whoever deletes a pod may say how long it has to end. */
  #shorten({ metadata: { uid, deletionGracePeriodSeconds: seconds } }: KubernetesObject): void {
    if (seconds === undefined) return;
    const pod = this.#mesh.pods.find((one) => one.plan.workload.uid === uid);
    for (const container of pod?.containers ?? []) container.allow(seconds);
  }

  #restartIfRunning({ uid }: KubernetesObject["metadata"]): void {
    if (uid !== this.#facts.now().controlPlane.uid) return;
    this.#mesh.controlPlane
      .restart()
      .catch((error: unknown) => this.#options.report(describeError(error)));
  }

  #restartControlPlane(before: KubernetesObject, after: KubernetesObject): void {
    const path = ["spec", "template"];
    if (isSameJson(valueAt(before, path), valueAt(after, path))) return;
    this.#mesh.controlPlane
      .restart()
      .then(() => this.#observe(after))
      .catch((error: unknown) => this.#options.report(describeError(error)));
  }

  #observe({ metadata }: KubernetesObject): void {
    this.#observed = new Map([...this.#observed, [metadata.uid ?? "", metadata.generation ?? 1]]);
    this.#showSoon();
  }

  #showSoon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#show();
    }, SHOW_AFTER_MS);
  }

  #show(): void {
    try {
      const facts = this.#facts.now();
      this.#projection.show({
        facts,
        observedGeneration: (owner) => this.#observedOf(owner),
        isBusy: this.#applying !== "idle",
      });
      for (const happening of problemHappenings(this.#seen, facts))
        this.#recorder.record(happening);
      const refused = refusalHappenings(this.#seen?.refused ?? [], facts.refused, (ref) =>
        this.#projection.objectOf(ref),
      );
      for (const happening of refused) this.#recorder.record(happening);
      this.#seen = facts;
    } catch (error) {
      this.#options.report(`what runs cannot be shown: ${describeError(error)}`);
    }
  }

  #observedOf(owner: KubernetesObject): number {
    const known = this.#observed.get(textAt(owner, "metadata", "uid"));
    return known ?? (isUntouchedControlPlane(owner) ? 1 : 0);
  }
}

/** It is in no file, and so in step with the mesh until somebody changes it. */
function isUntouchedControlPlane({ kind, metadata }: KubernetesObject): boolean {
  const { namespace, name, generation = 1 } = metadata;
  const isOurs = namespace === SYSTEM_NAMESPACE && name === CONTROL_PLANE;
  return kind === "Deployment" && isOurs && generation === 1;
}
