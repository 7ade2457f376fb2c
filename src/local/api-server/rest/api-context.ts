/** What all handlers of requests work with. */
import type { JsonObject } from "../kinds/kubernetes-object.ts";
import type { ObjectStore } from "../objects/object-store.ts";
import type { ApiRequest } from "./api-request.ts";
import type { KindIndex } from "./kind-index.ts";
import type { OpenWatches } from "./open-watches.ts";
import type { ResourceTarget } from "./resource-target.ts";
import type { IssueToken } from "./token-request.ts";

export interface ApiContext {
  readonly store: ObjectStore;
  readonly kinds: KindIndex;
  readonly readProtobuf: (bytes: Uint8Array) => JsonObject;
  /** Absent: nobody gets tokens here. */
  readonly issueToken: IssueToken | undefined;
  readonly watches: OpenWatches;
}

/** A request for a resource. */
export interface ResourceCall {
  readonly context: ApiContext;
  readonly target: ResourceTarget;
  readonly request: ApiRequest;
}
