/** Job: what to run until it has succeeded. */
import type { Fields } from "./decoder.ts";
import { noticeMisplaced } from "./misplaced-pod-settings.ts";
import { type PodTemplate, podTemplate } from "./pod-template.ts";
import type { ResourceMeta } from "./resource.ts";

export interface Job {
  readonly kind: "Job";
  readonly meta: ResourceMeta;
  /** Pods that have to succeed, one after the other. */
  readonly completions: number;
  /** Failures after which it is given up. */
  readonly backoffLimit: number;
  readonly template: PodTemplate<"Never" | "OnFailure">;
}

const MAX_COMPLETIONS = 1_000;
const DEFAULT_BACKOFF_LIMIT = 6;
const INT32 = { min: 0, max: 0x7fff_ffff };

const UNUSED_SPEC_FIELDS = [
  "activeDeadlineSeconds",
  "managedBy",
  "manualSelector",
  "podReplacementPolicy",
  "selector",
  "ttlSecondsAfterFinished",
];

/** What they ask for changes which pods run, or when the Job has failed. */
const UNSUPPORTED_SPEC_FIELDS = [
  "backoffLimitPerIndex",
  "maxFailedIndexes",
  "podFailurePolicy",
  "successPolicy",
];

export function job(meta: ResourceMeta, root: Fields): Job {
  const spec = root.section("spec");
  const template = podTemplate(spec.section("template"), {
    file: meta.source.file,
    restartPolicies: ["Never", "OnFailure"],
  });
  noticeMisplaced({ meta, template }, { kind: "Job", root });
  spec.unused(UNUSED_SPEC_FIELDS);
  spec.unsupported(UNSUPPORTED_SPEC_FIELDS);
  checkMode(spec);
  return {
    kind: "Job",
    meta,
    completions: spec.integer("completions", { min: 0, max: MAX_COMPLETIONS }) ?? 1,
    backoffLimit: spec.integer("backoffLimit", INT32) ?? DEFAULT_BACKOFF_LIMIT,
    template,
  };
}

function checkMode(spec: Fields): void {
  const parallelism = spec.integer("parallelism", INT32) ?? 1;
  if (parallelism !== 1) {
    spec.report("parallelism", `not supported yet: parallelism ${parallelism}; only 1 is`);
  }
  const mode = spec.choice("completionMode", ["NonIndexed", "Indexed"], "NonIndexed");
  if (mode === "Indexed") spec.report("completionMode", "not supported yet: Indexed");
  if (spec.flag("suspend", "off")) spec.report("suspend", "not supported yet: suspend");
}
