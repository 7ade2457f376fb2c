/** The state of another cluster as bytes, for whoever keeps it. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type WatchServicesResponse,
  WatchServicesResponseSchema,
} from "./gen/hauberk/clusters/v1/remote_discovery_pb.ts";

export type RemoteServicesInit = MessageInitShape<typeof WatchServicesResponseSchema>;

export function packRemoteServices(state: RemoteServicesInit): Uint8Array {
  return toBinary(WatchServicesResponseSchema, create(WatchServicesResponseSchema, state));
}

/** @throws Error for bytes that are no such message */
export function unpackRemoteServices(bytes: Uint8Array): WatchServicesResponse {
  return fromBinary(WatchServicesResponseSchema, bytes);
}
