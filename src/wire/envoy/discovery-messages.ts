/** Requests of proxies read, and responses put together of resources that are encoded already. */
import { fromBinary, type JsonObject } from "@bufbuild/protobuf";
import type { Node } from "../gen/envoy/config/core/v3/base_pb.ts";
import {
  DeltaDiscoveryRequestSchema,
  DiscoveryRequestSchema,
} from "../gen/envoy/service/discovery/v3/discovery_pb.ts";
import { GrpcStatusError } from "../grpc-status.ts";
import { join, textField } from "./protobuf-fields.ts";

/** What a proxy says of itself, with the first request of a stream. */
export interface ProxyNode {
  readonly id: string;
  /** `1.40.0`; "" where it does not say. */
  readonly version: string;
  readonly metadata: JsonObject;
}

interface AnyDiscoveryRequest {
  readonly typeUrl: string;
  /** Of the response that this answers; "" where it answers none. */
  readonly nonce: string;
  /** Why the response was refused; absent: it was taken over. */
  readonly error?: string;
  readonly node?: ProxyNode;
}

export interface DeltaRequest extends AnyDiscoveryRequest {
  readonly subscribe: readonly string[];
  readonly unsubscribe: readonly string[];
  /** Versions that were kept from an earlier stream, by name. */
  readonly held: Readonly<Record<string, string>>;
}

export interface StateRequest extends AnyDiscoveryRequest {
  /** All that it subscribes to now. */
  readonly names: readonly string[];
}

/** @throws GrpcStatusError for bytes that are no such message */
export function readDeltaRequest(bytes: Uint8Array): DeltaRequest {
  const request = read(() => fromBinary(DeltaDiscoveryRequestSchema, bytes));
  return {
    typeUrl: request.typeUrl,
    nonce: request.responseNonce,
    ...(request.errorDetail && { error: request.errorDetail.message }),
    ...(request.node && { node: nodeOf(request.node) }),
    subscribe: request.resourceNamesSubscribe,
    unsubscribe: request.resourceNamesUnsubscribe,
    held: request.initialResourceVersions,
  };
}

/** @throws GrpcStatusError for bytes that are no such message */
export function readStateRequest(bytes: Uint8Array): StateRequest {
  const request = read(() => fromBinary(DiscoveryRequestSchema, bytes));
  return {
    typeUrl: request.typeUrl,
    nonce: request.responseNonce,
    ...(request.errorDetail && { error: request.errorDetail.message }),
    ...(request.node && { node: nodeOf(request.node) }),
    names: request.resourceNames,
  };
}

export interface DeltaRest {
  readonly typeUrl: string;
  readonly nonce: string;
  /** Names. */
  readonly removed: readonly string[];
}

/** A `DeltaDiscoveryResponse` but for its resources, which are fields of it already and stand before. */
export function writeDeltaRest({ typeUrl, nonce, removed }: DeltaRest): Buffer {
  const names = removed.map((name) => textField(6, name));
  return join([textField(4, typeUrl), textField(5, nonce), ...names]);
}

export interface StateRest {
  readonly typeUrl: string;
  readonly nonce: string;
  readonly version: string;
}

/** A `DiscoveryResponse` but for its resources, which are fields of it already and stand before. */
export function writeStateRest({ typeUrl, nonce, version }: StateRest): Buffer {
  return join([textField(1, version), textField(4, typeUrl), textField(5, nonce)]);
}

function read<T>(decode: () => T): T {
  try {
    return decode();
  } catch {
    throw new GrpcStatusError("INVALID_ARGUMENT", "this is no discovery request");
  }
}

function nodeOf({ id, userAgentVersionType, metadata = {} }: Node): ProxyNode {
  const build = userAgentVersionType.case === "userAgentBuildVersion" && userAgentVersionType.value;
  const { majorNumber, minorNumber, patch } = (build || undefined)?.version ?? {};
  const version = majorNumber === undefined ? "" : `${majorNumber}.${minorNumber}.${patch}`;
  return { id, version, metadata };
}
