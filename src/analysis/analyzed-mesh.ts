/** All that is written of a mesh, as analyzers ask for it. */
import { IGNORED_NAMESPACES } from "../api/injection-decision.ts";
import type { ReadDocument } from "../api/parse-resources.ts";
import type { Labels } from "../api/resource.ts";
import { yamlDocuments } from "../api/yaml-documents.ts";
import { type AnalyzedObject, readAnalyzedText } from "./analyzed-object.ts";
import { Field, NO_FIELD } from "./field.ts";

/** A pod that runs, or would run out of a template. */
export interface AnalyzedPod {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly spec: Field;
  /** Whose template it comes from, or the Pod itself. */
  readonly origin: AnalyzedObject;
}

export interface AnalyzedMeshOptions {
  readonly now: Date;
  /** What both gates say of each document; absent: nobody asked. */
  readonly documents?: readonly ReadDocument[];
}

const TEMPLATED = ["Deployment", "StatefulSet", "DaemonSet", "Job", "ReplicaSet"] as const;

export class AnalyzedMesh {
  readonly objects: readonly AnalyzedObject[];
  readonly documents: readonly ReadDocument[];
  readonly now: Date;
  readonly pods: readonly AnalyzedPod[];
  readonly meshConfig: Field;
  readonly #byKind: ReadonlyMap<string, readonly AnalyzedObject[]>;

  constructor(
    texts: readonly {
      readonly file: string;
      readonly text: string;
      readonly setAside?: readonly string[];
    }[],
    { now, documents = [] }: AnalyzedMeshOptions,
  ) {
    const read = texts.map(({ text, file }) => readAnalyzedText(text, file));
    this.objects = read.flatMap(({ objects }, index) => {
      const aside = texts[index]?.setAside ?? [];
      return objects.filter((object) => isAsked(object) && !aside.includes(referenceOf(object)));
    });
    this.documents = documents.filter(isAsked);
    this.now = now;
    this.#byKind = byKind(this.objects);
    this.meshConfig = read.flatMap(({ meshConfigs }) => meshConfigs)[0] ?? this.#written();
    this.pods = this.#podsWritten();
  }

  of(kind: string): readonly AnalyzedObject[] {
    return this.#byKind.get(kind) ?? [];
  }

  find(kind: string, namespace: string, name: string): AnalyzedObject | undefined {
    return this.of(kind).find((one) => one.namespace === namespace && one.name === name);
  }

  get rootNamespace(): string {
    return this.meshConfig.at("rootNamespace").text || "istio-system";
  }

  podsIn(namespace: string): readonly AnalyzedPod[] {
    return this.pods.filter((pod) => pod.namespace === namespace);
  }

  /** Key `mesh` of the ConfigMap `istio`, whose lines are not those of the file. */
  #written(): Field {
    const [map] = this.of("ConfigMap").filter(({ name }) => name === "istio");
    const text = map?.root.at("data", "mesh").text ?? "";
    const root = text === "" ? undefined : yamlDocuments(text)[0]?.root;
    return root === undefined ? NO_FIELD : new Field(root, map?.root.line ?? 1);
  }

  /** A template counts only where none of its pods is written beside it. */
  #podsWritten(): readonly AnalyzedPod[] {
    const running = this.of("Pod").map(podOf);
    const templates = TEMPLATED.flatMap((kind) => this.of(kind)).map(podOfTemplate);
    return [
      ...running,
      ...templates.filter(
        (planned) =>
          !running.some(
            (pod) => pod.namespace === planned.namespace && selects(planned.labels, pod.labels),
          ),
      ),
    ];
  }
}

/** Whether the labels hold all that a selector asks for; one that asks for nothing takes everything. */
export function selects(selector: Labels, labels: Labels): boolean {
  return Object.entries(selector).every(([key, value]) => labels[key] === value);
}

/** `app=shop,version=v1`, as Kubernetes writes a selector. */
export function selectorText(selector: Labels): string {
  return Object.entries(selector)
    .map(([key, value]) => `${key}=${value}`)
    .sort()
    .join(",");
}

/** istioctl looks at nothing in namespaces that never take part in a mesh. Source: `local/istiod_analyze.go` of istio/istio. */
function isAsked({ namespace = "" }: { readonly namespace?: string | undefined }): boolean {
  return !IGNORED_NAMESPACES.includes(namespace);
}

function referenceOf({ root, namespace, name }: AnalyzedObject): string {
  const kind = root.at("kind").text;
  return namespace === "" ? `${kind} ${name}` : `${kind} ${namespace}/${name}`;
}

function podOf(object: AnalyzedObject): AnalyzedPod {
  const { namespace, name, labels, annotations, spec } = object;
  return { namespace, name, labels, annotations, spec, origin: object };
}

function podOfTemplate(object: AnalyzedObject): AnalyzedPod {
  const { namespace, name, spec } = object;
  const template = spec.at("template");
  return {
    namespace,
    name,
    labels: template.at("metadata", "labels").labels,
    annotations: template.at("metadata", "annotations").labels,
    spec: template.at("spec"),
    origin: object,
  };
}

function byKind(
  objects: readonly AnalyzedObject[],
): ReadonlyMap<string, readonly AnalyzedObject[]> {
  const found = new Map<string, AnalyzedObject[]>();
  for (const object of objects) {
    const same = found.get(object.kind);
    if (same === undefined) found.set(object.kind, [object]);
    else same.push(object);
  }
  return found;
}
