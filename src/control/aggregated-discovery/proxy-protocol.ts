/** The two forms of the protocol, incremental and state of the world, as one conversation. */
import type {
  DeltaRequest,
  ProxyNode,
  readDeltaRequest,
  readStateRequest,
  StateRequest,
  writeDeltaRest,
  writeStateRest,
} from "../../wire/envoy/discovery-messages.ts";
import type { ProxyResponse } from "./proxy-conversation.ts";
import { type ResourceType, resourceTypeOf } from "./resource-types.ts";
import { stateVersion } from "./state-version.ts";
import type { TypeRequest, TypeSubscription } from "./type-subscription.ts";

/** One request, whichever form it came in. */
export interface ProxyRequest {
  /** Absent: it is of a type that is not served here. */
  readonly type?: ResourceType;
  readonly node?: ProxyNode;
  /** "": it answers no response. */
  readonly nonce: string;
  readonly error?: string;
  /** What is asked for, compared with what was before. */
  readonly asked: (subscription: TypeSubscription) => TypeRequest;
}

export interface ProxyProtocol {
  /** Whether a request that answers an older response still says what is wanted. */
  readonly late: "heard" | "ignored";
  readonly read: (bytes: Uint8Array) => ProxyRequest;
  /** @returns undefined where this form has no words for it */
  readonly write: (response: ProxyResponse) => WrittenResponse | undefined;
}

/** One message: all these bytes, one after the other. */
export interface WrittenResponse {
  /** Each the same object for whoever is sent the resource. */
  readonly resources: readonly Uint8Array[];
  /** The fields that follow them. */
  readonly rest: Uint8Array;
}

/** What reads and writes messages, loaded when the first proxy comes. */
export interface DiscoveryCodec {
  readonly readDeltaRequest: typeof readDeltaRequest;
  readonly readStateRequest: typeof readStateRequest;
  readonly writeDeltaRest: typeof writeDeltaRest;
  readonly writeStateRest: typeof writeStateRest;
}

export function deltaProtocol(codec: DiscoveryCodec): ProxyProtocol {
  return {
    late: "heard",
    read: (bytes) => {
      const request = codec.readDeltaRequest(bytes);
      return { ...common(request), asked: () => request };
    },
    write: ({ type, nonce, changed, removed }) => ({
      resources: changed.map(({ inDelta }) => inDelta),
      rest: codec.writeDeltaRest({ typeUrl: type.typeUrl, nonce, removed }),
    }),
  };
}

export function stateProtocol(codec: DiscoveryCodec): ProxyProtocol {
  return {
    late: "ignored",
    read: (bytes) => {
      const request = codec.readStateRequest(bytes);
      return { ...common(request), asked: (subscription) => changeOf(request, subscription) };
    },
    write: ({ type, nonce, changed, subscription }) => {
      // A response about these types tells all there is; of others what is left out stays as it was.
      const isWhole = type.wildcard === "possible";
      if (!isWhole && changed.length === 0) return undefined;
      const resources = isWhole ? allOf(subscription) : changed;
      const version = stateVersion(resources);
      return {
        resources: resources.map(({ inState }) => inState),
        rest: codec.writeStateRest({ typeUrl: type.typeUrl, nonce, version }),
      };
    },
  };
}

function common(request: DeltaRequest | StateRequest): Omit<ProxyRequest, "asked"> {
  const { typeUrl, nonce, error, node } = request;
  const type = resourceTypeOf(typeUrl);
  return {
    ...(type && { type }),
    ...(node && { node }),
    nonce,
    ...(error !== undefined && { error }),
  };
}

/** Each request names all that is wanted. */
function changeOf({ names }: StateRequest, { subscribed }: TypeSubscription): TypeRequest {
  const before = subscribed === "all" ? new Set<string>() : subscribed.names;
  const now = new Set(names);
  return {
    subscribe: names.filter((name) => !before.has(name)),
    unsubscribe: [...before].filter((name) => !now.has(name)),
    held: {},
  };
}

/** What is leaving stays until everything else has been sent: something may lean on it. */
function allOf(subscription: TypeSubscription): TypeSubscription["has"]["resources"] {
  const { has, leaving } = subscription;
  const stays = has.resources.filter(({ name }) => subscription.isSubscribed(name));
  return [...stays, ...leaving.filter(({ name }) => has.find(name) === undefined)];
}
