/** A workload view in the form it is sent, with its version. Encoded once, however many streams ask for it. */
import { createHash } from "node:crypto";
import { WORKLOAD_VIEW_FORMAT, type WorkloadView } from "../policy/workload-view.ts";
import { packView } from "../wire/workload-view-message.ts";
import { trustFingerprint } from "./trust-fingerprint.ts";

const VERSION_CHARACTERS = 32;

export interface EncodedView {
  /** Hash of the content: equal views have equal versions, in every process. */
  readonly version: string;
  /** Fingerprint of what the view says to trust. */
  readonly trust: string;
  readonly message: ReturnType<typeof packView>;
}

const encodedViews = new WeakMap<WorkloadView, EncodedView>();

export function encodeView(view: WorkloadView): EncodedView {
  const known = encodedViews.get(view);
  if (known !== undefined) return known;
  const message = packView({ format: WORKLOAD_VIEW_FORMAT, json: JSON.stringify(view) });
  const digest = createHash("sha256")
    .update(String(message.format))
    .update(message.json)
    .digest("hex");
  const encoded = {
    version: digest.slice(0, VERSION_CHARACTERS),
    trust: trustFingerprint(view.trust),
    message,
  };
  encodedViews.set(view, encoded);
  return encoded;
}
