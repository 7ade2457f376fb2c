/**
 * A head's fields in memory of our own, taken from whichever codec read them, and changed by the steps that a request goes
 * through. Recycled: a request needs no new memory for them.
 */
import { FIELD_VALUE, TOKEN } from "../../http/byte-classes.ts";
import { FIELD, fieldIdOf } from "../../http/field-names.ts";
import { fieldName, fieldValue, findField } from "../../http/field-ranges.ts";
import { MAX_HEAD_FIELDS } from "../../http/head-limits.ts";
import { checkText, copyRange, writeText } from "../../http/http1/write-bytes.ts";
import { lookupOf } from "./known-lookups.ts";
import type { ReadyField } from "./ready-field.ts";
import type { ReceivedFields } from "./received-message.ts";

/** Of a received head, as both codecs limit it. */
const MAX_RECEIVED: number = MAX_HEAD_FIELDS;
/** What the mesh adds itself. */
const MAX_ADDED = 28;
const MAX_FIELDS: number = MAX_RECEIVED + MAX_ADDED;
/** Of most heads; others have more, from then on. */
const FIRST_FIELDS = 32;
const FIRST_BYTES = 1_024;
/** Beyond what is needed, when memory is made: for what the mesh adds. */
const SLACK = 1_024;
/** What lies between fields, and is copied with them. */
const LARGEST_GAP = 2_048;
/** Larger memory is not kept for the next request. */
const LARGEST_KEPT = 16_384;
/** Octets of all that are kept: what a thousand requests at a time need. */
const KEPT_OCTETS = 2_097_152;
/** Envoy takes them away before it asks any rule. */
const OF_THIS_HOP: ReadonlySet<string> = new Set([
  "connection",
  "expect",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
]);
/** A field's place, its id and two marks. */
const OCTETS_A_FIELD = 19;
const kept: HeldFields[] = [];
let keptOctets = 0;

export class HeldFields implements ReceivedFields {
  bytes: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  count = 0;
  ranges: Uint32Array = new Uint32Array(4 * FIRST_FIELDS);
  ids: Uint8Array = new Uint8Array(FIRST_FIELDS);
  sensitive: Uint8Array = new Uint8Array(FIRST_FIELDS);
  /** One a field: 1 when it goes on. What is judged is what was received; what goes on is less. */
  #stays: Uint8Array = new Uint8Array(FIRST_FIELDS);
  /** Of several lines that were not cut by HTTP/2, as they came. */
  #cookieLines: string | undefined = undefined;
  #length = 0;
  #isFree = false;

  static borrow(): HeldFields {
    const held = kept.pop() ?? new HeldFields();
    if (held.#isFree) keptOctets -= held.octets;
    held.#isFree = false;
    held.count = 0;
    held.#cookieLines = undefined;
    held.#length = 0;
    return held;
  }

  /** Whoever borrowed it reads it no more. */
  release(): void {
    if (this.#isFree) return;
    this.#isFree = true;
    const octets = this.octets;
    if (this.bytes.length > LARGEST_KEPT || keptOctets + octets > KEPT_OCTETS) return;
    keptOctets += octets;
    kept.push(this);
  }

  /** Of memory. */
  get octets(): number {
    return this.bytes.length + OCTETS_A_FIELD * this.ids.length;
  }

  goesOn(index: number): boolean {
    return this.#stays[index] === 1;
  }

  /** One field by its place: it is judged, and goes no further. */
  leaveOut(index: number): void {
    this.#stays[index] = 0;
  }

  /** Replaces what it holds by a copy of all of `fields`. */
  load(fields: ReceivedFields): void {
    this.count = 0;
    this.#cookieLines = undefined;
    this.#length = 0;
    if (fields.count === 0) return;
    if (fields.count > this.ids.length) this.#widen();
    const span = spanOf(fields);
    const { start, end, octets } = span;
    if (end - start <= Math.max(LARGEST_GAP, 2 * octets)) this.#copyAll(fields, span);
    else {
      this.#reserve(octets);
      for (let at = 0; at < fields.count; at++) this.#copy(fields, at);
    }
    const first = findField(this, FIELD.cookie);
    if (first < 0 || findField(this, FIELD.cookie, first + 1) < 0) return;
    if (fields.cookies !== "cut") this.#cookieLines = this.get("cookie");
    this.#joinCookies(first);
  }

  /**
   * @param name in lower case
   * @returns all values joined with "," (AP-80), each character one byte
   */
  get(name: string): string | undefined {
    return lookupOf(name).joinedValue(this);
  }

  /**
   * As rules ask for it: lines of cookies, which no client should send in HTTP/1 (RFC 6265 section 5.4), are a list as any
   * other there, as with Envoy, though they go on as one.
   *
   * @param name in lower case
   */
  asked(name: string): string | undefined {
    return (name === "cookie" ? this.#cookieLines : undefined) ?? this.get(name);
  }

  /** The same, as rules ask for it that let in: without what a client has addressed to this hop (RFC 9110 section 7.6.1). */
  askedOfPassed(name: string): string | undefined {
    if (OF_THIS_HOP.has(name) || this.isNamedByConnection(name)) return undefined;
    return this.asked(name);
  }

  /** @param name in lower case */
  isNamedByConnection(name: string): boolean {
    const connection = this.get("connection");
    if (connection === undefined || connection.length < name.length) return false;
    return connection.split(",").some((one) => one.trim().toLowerCase() === name);
  }

  /** @param name in lower case. @returns whether no value was given: there is no such field, or a single one without any */
  isBlank(name: string): boolean {
    const lookup = lookupOf(name);
    const at = lookup.find(this);
    if (at < 0) return true;
    const { ranges } = this;
    return ranges[4 * at + 2] === ranges[4 * at + 3] && lookup.find(this, at + 1) < 0;
  }

  /** Replaces every field of that name. @throws RangeError when the name or value could not be sent as it is */
  set(name: string, value: string): void {
    this.remove(name);
    this.add(name, value);
  }

  /** Behind all others. @throws RangeError when there is no room for another of our own */
  add(name: string, value: string): void {
    this.#makePlace();
    checkText(name, TOKEN);
    checkText(value, FIELD_VALUE);
    const at = this.#reserve(name.length + value.length);
    const nameEnd = writeText(this.bytes, at, name);
    this.#note(nameEnd - at, value.length);
    writeText(this.bytes, nameEnd, value);
    this.ids[this.count] = fieldIdOf(this.bytes, at, nameEnd);
    this.sensitive[this.count] = 0;
    this.#stays[this.count++] = 1;
  }

  /** Behind all others, as `add`. @throws RangeError when there is no room for another of our own */
  addReady({ bytes, nameLength, id }: ReadyField): void {
    this.#makePlace();
    const at = this.#reserve(bytes.length);
    this.bytes.set(bytes, at);
    this.#note(nameLength, bytes.length - nameLength);
    this.ids[this.count] = id;
    this.sensitive[this.count] = 0;
    this.#stays[this.count++] = 1;
  }

  /** Every field of that name. @param name in any letter case */
  remove(name: string): void {
    if (name.toLowerCase() === "cookie") this.#cookieLines = undefined;
    const lookup = lookupOf(name.toLowerCase());
    for (let at = lookup.find(this); at >= 0; at = lookup.find(this, at)) this.#drop(at);
  }

  /** HTTP/2 may cut one into several fields; whoever judges or reads it knows only one (RFC 9113 section 8.2.3). */
  #joinCookies(first: number): void {
    const name = fieldName(this, first);
    let joined = "";
    for (let at = first; at >= 0; at = findField(this, FIELD.cookie, at)) {
      const value = fieldValue(this, at);
      // An empty one would leave a space at the end, where HTTP/2 has none.
      if (value !== "") joined += joined === "" ? value : `; ${value}`;
      this.#drop(at);
    }
    this.add(name, joined);
  }

  /** Fields that lie close together are copied at once, with what lies between them. */
  #copyAll(fields: ReceivedFields, { start, end }: Span): void {
    const { count, ranges, ids, sensitive } = fields;
    this.#reserve(end - start);
    fields.bytes.copy(this.bytes, 0, start, end);
    const own = this.ranges;
    for (let place = 0; place < 4 * count; place++) own[place] = (ranges[place] ?? 0) - start;
    for (let index = 0; index < count; index++) {
      this.ids[index] = ids[index] ?? 0;
      this.sensitive[index] = sensitive?.[index] ?? 0;
      this.#stays[index] = fields.goesOn(index) ? 1 : 0;
    }
    this.count = count;
    this.#length = end - start;
  }

  #copy(fields: ReceivedFields, index: number): void {
    const { bytes, ranges } = fields;
    const [nameStart = 0, nameEnd = 0] = [ranges[4 * index], ranges[4 * index + 1]];
    const [start = 0, end = 0] = [ranges[4 * index + 2], ranges[4 * index + 3]];
    const at = this.#reserve(nameEnd - nameStart + end - start);
    const middle = copyRange({ bytes, start: nameStart, end: nameEnd }, this.bytes, at);
    copyRange({ bytes, start, end }, this.bytes, middle);
    this.#note(nameEnd - nameStart, end - start);
    this.ids[this.count] = fields.ids[index] ?? 0;
    this.sensitive[this.count] = fields.sensitive?.[index] ?? 0;
    this.#stays[this.count++] = fields.goesOn(index) ? 1 : 0;
  }

  /** For one field more. */
  #makePlace(): void {
    if (this.count < this.ids.length) return;
    if (this.count === MAX_FIELDS) throw new RangeError("no room for another field");
    this.#widen();
  }

  /** To as many fields as there may be. */
  #widen(): void {
    const { ranges, ids, sensitive } = this;
    this.ranges = new Uint32Array(4 * MAX_FIELDS);
    this.ranges.set(ranges);
    this.ids = new Uint8Array(MAX_FIELDS);
    this.ids.set(ids);
    this.sensitive = new Uint8Array(MAX_FIELDS);
    this.sensitive.set(sensitive);
    const stays = this.#stays;
    this.#stays = new Uint8Array(MAX_FIELDS);
    this.#stays.set(stays);
  }

  /** Where the field to come lies. */
  #note(nameLength: number, valueLength: number): void {
    const place = 4 * this.count;
    const nameStart = this.#length;
    this.ranges[place] = nameStart;
    this.ranges[place + 1] = this.ranges[place + 2] = nameStart + nameLength;
    this.#length = this.ranges[place + 3] = nameStart + nameLength + valueLength;
  }

  #drop(index: number): void {
    this.ranges.copyWithin(4 * index, 4 * index + 4, 4 * this.count);
    this.ids.copyWithin(index, index + 1, this.count);
    this.sensitive.copyWithin(index, index + 1, this.count);
    this.#stays.copyWithin(index, index + 1, this.count);
    this.count--;
  }

  #reserve(bytes: number): number {
    const needed = this.#length + bytes;
    if (needed > this.bytes.length) {
      const larger = Buffer.allocUnsafeSlow(needed + SLACK);
      this.bytes.copy(larger, 0, 0, this.#length);
      this.bytes = larger;
    }
    return this.#length;
  }
}

/** Part of a buffer. */
interface Span {
  readonly start: number;
  readonly end: number;
}

/** Where all fields lie, and how many of the octets there are theirs: of one that has several, each time. */
function spanOf({ ranges, count }: ReceivedFields): Span & { readonly octets: number } {
  let start = Number.MAX_SAFE_INTEGER;
  let end = 0;
  let octets = 0;
  for (let place = 0; place < 4 * count; place += 2) {
    const from = ranges[place] ?? 0;
    const to = ranges[place + 1] ?? 0;
    if (from < start) start = from;
    if (to > end) end = to;
    octets += to - from;
  }
  return { start, end, octets };
}
