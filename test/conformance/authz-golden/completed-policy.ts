/** Policies of upstream's unit tests, made such that an API server and istiod's webhook would take them, in the same meaning. */
import type { UpstreamObject } from "../upstream-objects.ts";

export interface WrittenSpec {
  readonly action?: string;
  readonly provider?: { readonly name: string };
  readonly rules?: readonly unknown[];
  readonly selector?: unknown;
  readonly targetRef?: WrittenTarget;
  readonly targetRefs?: readonly WrittenTarget[];
}

interface WrittenTarget {
  readonly group?: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}

/**
 * CUSTOM names an authorizer (VAL-20) and asks for no identity (AP-125); a target in the policy's own namespace is
 * written without it (VAL-6). Whom a policy is for does not hang on its rules.
 */
export function completedPolicy(
  policy: UpstreamObject & { readonly spec: WrittenSpec },
): UpstreamObject {
  const { spec, metadata } = policy;
  const own = metadata?.["namespace"];
  const near = ({ namespace, ...target }: WrittenTarget): WrittenTarget =>
    namespace === undefined || namespace === own ? target : { ...target, namespace };
  return {
    ...policy,
    spec: {
      ...spec,
      ...(spec.action === "CUSTOM" && {
        provider: spec.provider ?? { name: "authorizer" },
        rules: [{}],
      }),
      ...(spec.targetRef && { targetRef: near(spec.targetRef) }),
      ...(spec.targetRefs && { targetRefs: spec.targetRefs.map(near) }),
    },
  };
}
