/** How a workload view travels: JSON in a small message. */
import { create, type MessageShape } from "@bufbuild/protobuf";
import { HauberkError } from "../runtime/hauberk-error.ts";
import { WorkloadViewSchema } from "./gen/hauberk/discovery/v1/workload_view_pb.ts";

/** A view that came with no content, or with bytes that are no text. */
export class UnreadableViewError extends HauberkError {
  readonly code = "HAUBERK_UNREADABLE_VIEW";
}

/** A view as it travels; what the JSON means is not the wire's concern. */
export interface PackedView {
  /** The shape of the JSON; see `WORKLOAD_VIEW_FORMAT`. */
  readonly format: number;
  readonly json: string;
}

/** Header of a call whose client is content with the fields that changed of a view it has, and its value. */
export const VIEW_CHANGES_HEADER = "hauberk-accept-changes";
export const VIEW_CHANGES = "fields";

export type ViewMessage = MessageShape<typeof WorkloadViewSchema>;

/** @param view its JSON as text, or as UTF-8 */
export function packView({
  format,
  json,
}: {
  readonly format: number;
  readonly json: string | Uint8Array;
}): ViewMessage {
  const bytes = typeof json === "string" ? new TextEncoder().encode(json) : json;
  return create(WorkloadViewSchema, { format, json: bytes });
}

/** @throws UnreadableViewError if it is missing, or not UTF-8 */
export function unpackView(message: ViewMessage | undefined): PackedView {
  if (message === undefined)
    throw new UnreadableViewError("the response has a view without content");
  try {
    const json = new TextDecoder("utf-8", { fatal: true }).decode(message.json);
    return { format: message.format, json };
  } catch (cause) {
    throw new UnreadableViewError("the view is no text", { cause });
  }
}
