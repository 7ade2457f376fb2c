/** Encodes what views come to. Each resource is encoded once, for whichever proxies and however often it is in their views. */
import { createHash } from "node:crypto";
import type { EnvoyResources } from "../../envoy/envoy-json.ts";
import { describeError } from "../../runtime/hauberk-error.ts";
import type { Log } from "../../runtime/log.ts";
import type { EncodedResource, encodeResource } from "../../wire/envoy/encode-resource.ts";
import { KnownSets } from "./known-sets.ts";
import { NO_RESOURCES, type ResourceSet } from "./resource-set.ts";
import {
  AUTHORIZATION,
  RESOURCE_TYPES,
  type ResourceKind,
  type ResourceType,
} from "./resource-types.ts";

/** All that one proxy is to have. */
export interface ProxyResources {
  /** In the JSON of proto3. */
  readonly json: EnvoyResources;
  readonly encoded: Readonly<Record<ResourceKind, ResourceSet>>;
}

type Resource = EnvoyResources[ResourceKind][number];

/** In what a resource of a kind has its name. */
const NAME_FIELD: Readonly<Record<ResourceKind, "name" | "clusterName">> = {
  extensionConfigs: "name",
  clusters: "name",
  endpoints: "clusterName",
  listeners: "name",
  routes: "name",
};

export class EncodedResources {
  readonly #encode: typeof encodeResource;
  readonly #log: Log;
  /** By identity of a list, of a resource, and by content. */
  readonly #sets: WeakMap<object, ResourceSet> = new WeakMap();
  readonly #lists: WeakMap<ResourceSet, readonly Resource[]> = new WeakMap();
  readonly #known = new KnownSets();
  readonly #resources: WeakMap<object, EncodedResource> = new WeakMap();
  readonly #byContent: Map<string, WeakRef<EncodedResource>> = new Map();
  readonly #forgotten: FinalizationRegistry<string> = new FinalizationRegistry((key) => {
    if (this.#byContent.get(key)?.deref() === undefined) this.#byContent.delete(key);
  });

  constructor(encode: typeof encodeResource, log: Log) {
    this.#encode = encode;
    this.#log = log;
  }

  /**
   * What cannot be encoded is left out, and told: a proxy refuses what it was not told to admit.
   *
   * @param before what the same proxy had: what has not changed since is not looked for again
   */
  of(json: EnvoyResources, before?: ProxyResources): ProxyResources {
    const sets = RESOURCE_TYPES.map((type) => {
      const { kind } = type;
      const isSame = before !== undefined && haveSameItems(before.json[kind], json[kind]);
      return [kind, isSame ? before.encoded[kind] : this.setOf(type, json[kind])] as const;
    });
    return { json, encoded: Object.fromEntries(sets) as ProxyResources["encoded"] };
  }

  setOf(type: ResourceType, list: readonly Resource[]): ResourceSet {
    if (list.length === 0) return NO_RESOURCES;
    const known = this.#sets.get(list);
    if (known !== undefined) return known;
    const set = this.#known.setOf(list.flatMap((one) => this.#encoded(type, one) ?? []));
    this.#sets.set(list, set);
    if (!this.#lists.has(set)) this.#lists.set(set, list);
    return set;
  }

  /** A list that this set was made of. */
  listOf(set: ResourceSet): readonly Resource[] {
    return this.#lists.get(set) ?? [];
  }

  #encoded(type: ResourceType, json: Resource): EncodedResource | undefined {
    const known = this.#resources.get(json);
    if (known !== undefined) return known;
    // Authorization is made once for all who have the same, and may be large: text of it would take as long as its bytes.
    const encoded = type === AUTHORIZATION ? this.#byBytes(type, json) : this.#byText(type, json);
    if (encoded !== undefined) this.#resources.set(json, encoded);
    return encoded;
  }

  #byBytes(type: ResourceType, json: Resource): EncodedResource | undefined {
    const encoded = this.#encodedAnew(type, json);
    if (encoded === undefined) return undefined;
    const key = `${type.kind} ${encoded.name} ${encoded.version}`;
    const known = this.#byContent.get(key)?.deref();
    if (known !== undefined && Buffer.compare(known.inDelta, encoded.inDelta) === 0) return known;
    return this.#keep(key, encoded);
  }

  #byText(type: ResourceType, json: Resource): EncodedResource | undefined {
    const key = createHash("sha256")
      .update(type.kind)
      .update(JSON.stringify(json))
      .digest("base64");
    const known = this.#byContent.get(key)?.deref();
    if (known !== undefined) return known;
    const encoded = this.#encodedAnew(type, json);
    return encoded && this.#keep(key, encoded);
  }

  #keep(key: string, encoded: EncodedResource): EncodedResource {
    this.#byContent.set(key, new WeakRef(encoded));
    this.#forgotten.register(encoded, key);
    return encoded;
  }

  #encodedAnew(type: ResourceType, json: Resource): EncodedResource | undefined {
    const name = String((json as Readonly<Record<string, unknown>>)[NAME_FIELD[type.kind]]);
    try {
      return this.#encode(type.typeUrl, { name, json });
    } catch (error) {
      this.#log.error("a resource for Envoy cannot be encoded, and is left out", {
        type: type.called,
        name,
        reason: describeError(error),
      });
      return undefined;
    }
  }
}

function haveSameItems(one: readonly unknown[], other: readonly unknown[]): boolean {
  if (one === other) return true;
  return one.length === other.length && one.every((item, index) => item === other[index]);
}
