/** How a workload view travels: JSON in a small message, inside the `Any` of a discovery resource. */
import { create } from "@bufbuild/protobuf";
import { type Any, anyPack, anyUnpack } from "@bufbuild/protobuf/wkt";
import { HauberkError } from "../runtime/hauberk-error.ts";
import { WorkloadViewSchema } from "./gen/hauberk/discovery/v1/workload_view_pb.ts";

export const WORKLOAD_VIEW_TYPE_URL: string = `type.googleapis.com/${WorkloadViewSchema.typeName}`;

/** A discovery resource that is not of the expected type. */
export class UnreadableResourceError extends HauberkError {
  readonly code = "HAUBERK_UNREADABLE_RESOURCE";
}

/** A view as it travels; what the JSON means is not the wire's concern. */
export interface PackedView {
  /** The shape of the JSON; see `WORKLOAD_VIEW_FORMAT`. */
  readonly format: number;
  readonly json: string;
}

export function packView({ format, json }: PackedView): Any {
  const bytes = new TextEncoder().encode(json);
  return anyPack(WorkloadViewSchema, create(WorkloadViewSchema, { format, json: bytes }));
}

/** @throws UnreadableResourceError if it is another kind of resource, or not UTF-8 */
export function unpackView(resource: Any | undefined): PackedView {
  if (resource?.typeUrl !== WORKLOAD_VIEW_TYPE_URL)
    throw new UnreadableResourceError(`the resource is no ${WORKLOAD_VIEW_TYPE_URL}`);
  try {
    const message = anyUnpack(resource, WorkloadViewSchema);
    if (message === undefined) throw new UnreadableResourceError("the resource is empty");
    const json = new TextDecoder("utf-8", { fatal: true }).decode(message.json);
    return { format: message.format, json };
  } catch (cause) {
    throw new UnreadableResourceError("the resource cannot be read", { cause });
  }
}
