/**
 * The ReplicaSets of Deployments: one for the template that is wanted now, and those of earlier ones, as long as they are
 * remembered.
 */
import { objectAt, valueAt } from "../../api-server/kinds/json-access.ts";
import type { JsonObject, KubernetesObject } from "../../api-server/kinds/kubernetes-object.ts";
import type { ServedKind } from "../../api-server/kinds/served-kind.ts";
import { placeOf } from "../object-key.ts";
import { isPaused } from "../paused-deployment.ts";
import {
  newestOf,
  REVISION,
  revisionOf,
  setsOf,
  TEMPLATE_HASH,
  templateHash,
  templateOfSet,
} from "../revisions.ts";
import type { ObjectWriter } from "./object-writer.ts";
import { replicaSetStatus } from "./owner-status.ts";

/** Where a Deployment does not say. */
const HISTORY_LIMIT = 10;
/** Annotations of a Deployment that its ReplicaSets do not have. Source: `annotationsToSkip`. */
const OWN_ANNOTATIONS = [
  "kubectl.kubernetes.io/last-applied-configuration",
  REVISION,
  "deployment.kubernetes.io/revision-history",
];

export interface CountedPods {
  readonly total: number;
  readonly ready: number;
}

export class ProjectedReplicaSets {
  readonly #writer: ObjectWriter;
  readonly #kind: ServedKind;

  constructor(writer: ObjectWriter) {
    this.#writer = writer;
    this.#kind = writer.kind("apps", "ReplicaSet");
  }

  /** The ones that are wanted now, by `namespace/name` of their Deployments. */
  showCurrent(deployments: readonly KubernetesObject[]): ReadonlyMap<string, KubernetesObject> {
    return new Map(
      deployments.map((owner) => {
        const { namespace, name } = owner.metadata;
        return [`${namespace}/${name}`, this.#showCurrent(owner)];
      }),
    );
  }

  /** What they count, once it is known whose each pod is; those that nobody remembers are gone. */
  finish(
    deployments: readonly KubernetesObject[],
    podsOf: (set: KubernetesObject) => CountedPods,
  ): void {
    const kept = deployments.flatMap((owner) => {
      const sets = setsOf(owner, this.#all(owner));
      const current = this.#currentOf(owner, sets);
      const limit = valueAt(owner, ["spec", "revisionHistoryLimit"]);
      const old = sets
        .filter((set) => set !== current)
        .sort((one, other) => revisionOf(other) - revisionOf(one));
      const idle = old.filter((set) => podsOf(set).total === 0);
      const forgotten = idle.slice(typeof limit === "number" ? limit : HISTORY_LIMIT);
      const remembered = old.filter((set) => !forgotten.includes(set));
      return [
        ...(current === undefined
          ? []
          : [this.#counted(current, wantedOf(owner), podsOf(current))]),
        ...remembered.map((set) => this.#counted(set, podsOf(set).total, podsOf(set))),
      ];
    });
    this.#writer.forgetOthers(this.#kind, kept);
  }

  /** Of a paused Deployment the one that it had before, until it is resumed. */
  #currentOf(
    owner: KubernetesObject,
    sets: readonly KubernetesObject[],
  ): KubernetesObject | undefined {
    const hash = templateHash(owner);
    const found = sets.find(({ metadata }) => metadata.labels?.[TEMPLATE_HASH] === hash);
    return found ?? (isPaused(owner) ? newestOf(sets) : undefined);
  }

  #showCurrent(owner: KubernetesObject): KubernetesObject {
    const sets = setsOf(owner, this.#all(owner));
    const current = this.#currentOf(owner, sets);
    const newest = Math.max(0, ...sets.map(revisionOf));
    const isNewest = current !== undefined && revisionOf(current) === newest;
    const first = revisionOf(owner) || 1;
    const revision = isNewest ? newest : newest === 0 ? first : newest + 1;
    const { namespace = "", name = "" } = owner.metadata;
    const template =
      current === undefined ? objectAt(owner, "spec", "template") : templateOfSet(current);
    const hash = current?.metadata.labels?.[TEMPLATE_HASH] ?? templateHash(owner);
    const metadata = objectAt(template, "metadata");
    const labels = { ...objectAt(metadata, "labels"), [TEMPLATE_HASH]: hash };
    const annotations = { ...annotationsOf(owner), [REVISION]: `${revision}` };
    const shown = this.#writer.show(this.#kind, {
      apiVersion: "apps/v1",
      kind: "ReplicaSet",
      metadata: {
        name: `${name}-${hash}`,
        namespace,
        labels: labels as Readonly<Record<string, string>>,
        annotations,
        ownerReferences: [controllerReference(owner, "apps/v1", "Deployment")],
      },
      spec: {
        replicas: wantedOf(owner),
        selector: { matchLabels: labels },
        template: { ...template, metadata: { ...metadata, labels } },
      },
      status: current?.["status"] ?? replicaSetStatus({ total: 0, ready: 0 }),
    });
    this.#note(owner, revision);
    return shown;
  }

  /** On the Deployment itself, where nobody owns it: it is no wish of anybody's. */
  #note(owner: KubernetesObject, revision: number): void {
    if (revisionOf(owner) === revision) return;
    const annotations = { ...owner.metadata.annotations, [REVISION]: `${revision}` };
    const after = { ...owner, metadata: { ...owner.metadata, annotations } };
    const place = placeOf(owner, this.#writer.kind("apps", "Deployment"));
    this.#writer.store.commit({ ...place, before: owner, after });
  }

  #counted(set: KubernetesObject, replicas: number, pods: CountedPods): KubernetesObject {
    const spec = { ...objectAt(set, "spec"), replicas };
    return this.#writer.show(this.#kind, { ...set, spec, status: replicaSetStatus(pods) });
  }

  #all({ metadata }: KubernetesObject): readonly KubernetesObject[] {
    return this.#writer.store.list(this.#kind, metadata.namespace);
  }
}

export function controllerReference(
  { metadata }: KubernetesObject,
  apiVersion: string,
  kind: string,
): JsonObject {
  const { name = "", uid = "" } = metadata;
  return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true };
}

/** What the server completes: one, where nobody says. */
function wantedOf(owner: KubernetesObject): number {
  const replicas = valueAt(owner, ["spec", "replicas"]);
  return typeof replicas === "number" ? replicas : 1;
}

function annotationsOf({ metadata }: KubernetesObject): Readonly<Record<string, string>> {
  const own = Object.entries(metadata.annotations ?? {});
  return Object.fromEntries(own.filter(([name]) => !OWN_ANNOTATIONS.includes(name)));
}
