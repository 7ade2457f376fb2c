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

export type ViewMessage = MessageShape<typeof WorkloadViewSchema>;

export function packView({ format, json }: PackedView): ViewMessage {
  return create(WorkloadViewSchema, { format, json: new TextEncoder().encode(json) });
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
