/** Why a workload has no sidecar, and how it gets one: for answers that rest on that. Pure. */
import { type InjectionDecision, injectionDecision } from "../api/injection-decision.ts";
import type { Resource } from "../api/resource.ts";
import type { Decision } from "../policy/decision.ts";
import { ofKind } from "../policy/mesh-snapshot.ts";
import { podTemplateOf } from "../policy/plan-workloads.ts";
import { callingWorkload, type Question } from "../policy/question.ts";
import type { Workload } from "../policy/workload.ts";

/** Of the callee, where nothing is enforced then; of the caller, where its call is refused. A sentence each. */
export function missingSidecars(
  { resources }: { readonly resources: readonly Resource[] },
  { from, to }: Pick<Question, "from" | "to">,
  { decision: { verdict } }: { readonly decision: Pick<Decision, "verdict"> },
): readonly string[] {
  const caller = verdict === "deny" ? callingWorkload(from) : undefined;
  const pods = caller === undefined ? [to] : [to, caller];
  return pods.flatMap((pod) => missingSidecarInWords(resources, pod) ?? []);
}

/**
 * One sentence.
 *
 * @param resources as they are written now: a pod that runs may be older than they are
 * @returns undefined of a workload that has one, and of one that no resource describes
 */
export function missingSidecarInWords(
  resources: readonly Resource[],
  workload: Workload,
): string | undefined {
  if (workload.injected) return undefined;
  const decision = decisionOf(resources, workload);
  if (decision === undefined) return undefined;
  const { namespace, owner } = workload;
  const { inject, because } = decision;
  const restart = restartInWords(workload);
  if (inject)
    return `${namespace}/${owner} is to have a sidecar, since ${because}, and was started before that: ${restart}`;
  return `${namespace}/${owner} has no sidecar, since ${because}${adviceOn(decision, { namespace, restart })}`;
}

function restartInWords({ namespace, owner, ownerKind }: Workload): string {
  if (ownerKind === "Job") return `delete Job ${owner}, and apply it again`;
  return `kubectl rollout restart ${ownerKind.toLowerCase()} ${owner} -n ${namespace}`;
}

function decisionOf(
  resources: readonly Resource[],
  workload: Workload,
): InjectionDecision | undefined {
  const template = podTemplateOf(resources, workload)?.template;
  if (template === undefined) return undefined;
  const { namespace } = workload;
  const named = ofKind(resources, "Namespace").find(({ meta }) => meta.name === namespace);
  return injectionDecision({
    namespace,
    namespaceLabels: named?.meta.labels ?? {},
    podLabels: template.labels,
    podAnnotations: template.annotations,
    hostNetwork: template.hostNetwork,
  });
}

/** Where somebody said that there is to be none, that says enough. */
function adviceOn(
  { isUnasked }: InjectionDecision,
  { namespace, restart }: { readonly namespace: string; readonly restart: string },
): string {
  if (!isUnasked) return "";
  return `: kubectl label namespace ${namespace} istio-injection=enabled; ${restart}`;
}
