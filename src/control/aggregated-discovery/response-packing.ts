/**
 * Responses as they travel. Agents that can unpack them get them packed; what many are sent is packed once, part by part, so
 * that those whose resources differ in a few share the rest.
 */
import type { mostUnpacked, packedMessage, packedPart } from "../../wire/envoy/packed-messages.ts";
import type { WrittenResponse } from "./proxy-protocol.ts";

/** Responses below are sent as they are, in bytes. */
const LEAST_BYTES = 512;
/** Resources up to which all are one part, in bytes: small ones have much in common with each other. */
const WHOLE_BYTES = 64 * 1024;
/** Resources of one part of more, on average. */
const PART_LENGTH = 32;
/** Parts that are remembered of those that begin alike. */
const MOST_ALIKE = 4;

export interface PackingCodec {
  readonly packedPart: typeof packedPart;
  readonly packedMessage: typeof packedMessage;
  readonly mostUnpacked: typeof mostUnpacked;
}

interface KnownPart {
  readonly resources: readonly Uint8Array[];
  readonly place: PartPlace;
  readonly packed: Uint8Array;
}

type PartPlace = Parameters<typeof packedPart>[1];

export function plainResponse({ resources, rest }: WrittenResponse): Uint8Array {
  return Buffer.concat([...resources, rest]);
}

export class ResponsePacking {
  readonly #codec: PackingCodec;
  /** By the first resource of each. */
  readonly #known: WeakMap<Uint8Array, readonly KnownPart[]> = new WeakMap();
  readonly #numbers: WeakMap<Uint8Array, number> = new WeakMap();
  #lastNumber = 0;

  constructor(codec: PackingCodec) {
    this.#codec = codec;
  }

  pack(response: WrittenResponse): Uint8Array {
    const { resources, rest } = response;
    const bytes = resources.reduce((sum, { length }) => sum + length, 0);
    if (bytes + rest.length < LEAST_BYTES) return plainResponse(response);
    const [place, parts] =
      bytes <= WHOLE_BYTES
        ? (["only", [resources]] as const)
        : (["any", this.#partsOf(resources)] as const);
    const packed = this.#codec.packedMessage(
      parts.filter(({ length }) => length > 0).map((part) => this.#packed(part, place)),
      rest,
    );
    const isTaken = bytes + rest.length <= this.#codec.mostUnpacked(packed.length);
    return isTaken ? packed : plainResponse(response);
  }

  /** Each resource by itself says whether a part ends with it: lists that share a run of resources share its parts. */
  #partsOf(resources: readonly Uint8Array[]): readonly (readonly Uint8Array[])[] {
    const parts: Uint8Array[][] = [];
    let part: Uint8Array[] = [];
    for (const resource of resources) {
      part.push(resource);
      if (this.#numberOf(resource) % PART_LENGTH !== 0) continue;
      parts.push(part);
      part = [];
    }
    return [...parts, part];
  }

  #numberOf(resource: Uint8Array): number {
    const known = this.#numbers.get(resource);
    if (known !== undefined) return known;
    this.#lastNumber++;
    this.#numbers.set(resource, this.#lastNumber);
    return this.#lastNumber;
  }

  #packed(resources: readonly Uint8Array[], place: PartPlace): Uint8Array {
    const [first] = resources;
    const alike = (first && this.#known.get(first)) ?? [];
    const found = alike.find((one) => one.place === place && areSame(one.resources, resources));
    if (found !== undefined) return found.packed;
    const packed = this.#codec.packedPart(resources, place);
    const part = { resources, place, packed };
    if (first) this.#known.set(first, [part, ...alike].slice(0, MOST_ALIKE));
    return packed;
  }
}

function areSame(one: readonly Uint8Array[], other: readonly Uint8Array[]): boolean {
  return one.length === other.length && one.every((resource, index) => resource === other[index]);
}
