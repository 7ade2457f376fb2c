/**
 * Whether a pod gets a sidecar: the rules of the injection webhook for the default revision, with injection policy
 * "enabled" and no default for unlabelled namespaces (INJ-1..INJ-14).
 */
import type { Labels } from "./resource.ts";

export interface InjectionQuestion {
  readonly namespace: string;
  readonly namespaceLabels: Labels;
  readonly podLabels: Labels;
  readonly podAnnotations: Readonly<Record<string, string>>;
  readonly hostNetwork: boolean;
}

export interface InjectionDecision {
  readonly inject: boolean;
  /** Which label, annotation or setting decided, as words that follow "because". */
  readonly because: string;
  /** Nothing says that there is to be one, and nothing that there is to be none. */
  readonly isUnasked?: true;
}

const INJECT = "sidecar.istio.io/inject";
const NAMESPACE_INJECTION = "istio-injection";
const REVISION = "istio.io/rev";
const DEFAULT_REVISION = "default";

/** They never take part in a mesh (INJ-11). */
export const IGNORED_NAMESPACES: readonly string[] = [
  "kube-system",
  "kube-public",
  "kube-node-lease",
  "local-path-storage",
];

export function injectionDecision(question: InjectionQuestion): InjectionDecision {
  if (question.hostNetwork) return no("the pod uses the host's network");
  if (IGNORED_NAMESPACES.includes(question.namespace)) {
    return no(`namespace ${question.namespace} never takes part in the mesh`);
  }
  const selection = webhookSelection(question);
  return selection.inject ? explicitChoice(question, selection) : selection;
}

/** INJ-1..INJ-8: whether the webhook is asked at all. */
function webhookSelection({
  namespaceLabels,
  podLabels,
}: Pick<InjectionQuestion, "namespaceLabels" | "podLabels">): InjectionDecision {
  const podChoice = read(podLabels, INJECT);
  if (podChoice === "false") return no(`the pod is labelled ${INJECT}=false`);
  const injection = read(namespaceLabels, NAMESPACE_INJECTION);
  if (injection !== undefined) {
    const because = `the namespace is labelled ${NAMESPACE_INJECTION}=${injection}`;
    return { inject: injection === "enabled", because };
  }
  const namespaceRevision = read(namespaceLabels, REVISION);
  if (namespaceRevision !== undefined) return revision("namespace", namespaceRevision);
  const podRevision = read(podLabels, REVISION);
  if (podRevision !== undefined) return revision("pod", podRevision);
  if (podChoice === "true") return yes(`the pod is labelled ${INJECT}=true`);
  return {
    ...no(`neither the namespace (${NAMESPACE_INJECTION}) nor the pod (${INJECT}) asks for it`),
    isUnasked: true,
  };
}

/** INJ-12..INJ-14: the pod's label decides, else its annotation; other text than true and false says nothing. */
function explicitChoice(
  { podLabels, podAnnotations }: InjectionQuestion,
  selection: InjectionDecision,
): InjectionDecision {
  if (read(podLabels, INJECT) !== undefined) return selection;
  if (read(podAnnotations, INJECT) !== "false") return selection;
  return no(`the pod is annotated ${INJECT}=false`);
}

function revision(labelled: "namespace" | "pod", name: string): InjectionDecision {
  const because = `the ${labelled} is labelled ${REVISION}=${name}`;
  if (name === DEFAULT_REVISION) return yes(because);
  return no(`${because}, and this mesh is revision ${DEFAULT_REVISION}`);
}

function read(record: Labels, key: string): string | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

function yes(because: string): InjectionDecision {
  return { inject: true, because };
}

function no(because: string): InjectionDecision {
  return { inject: false, because };
}
