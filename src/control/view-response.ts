/** An update of a sidecar's views as it goes over the wire. */
import type { ViewMessage } from "../wire/workload-view-message.ts";
import { changedFields, encodeView, wholeView } from "./encoded-view.ts";
import type { ViewUpdate } from "./view-subscriptions.ts";

export interface ViewResponse {
  readonly nonce: string;
  readonly views: { readonly name: string; readonly version: string; readonly view: ViewMessage }[];
  readonly removed: string[];
}

/** @param takesChanges whether the sidecar puts changes together with what it has */
export function viewResponse(
  { nonce, changed, removed }: ViewUpdate,
  takesChanges: boolean,
): ViewResponse {
  return {
    nonce,
    views: changed.map(({ name, view, before }) => ({
      name,
      version: encodeView(view).version,
      view: before && takesChanges ? changedFields(before, view) : wholeView(view),
    })),
    removed: [...removed],
  };
}
