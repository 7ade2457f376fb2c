/**
 * Writes the head that goes on: ranges of the received one, without what is for this hop only (RFC 9110 section 7.6.1) or
 * has been replaced, and with what is added. A head that nothing changes is one copy.
 */
import { TARGET } from "../byte-classes.ts";
import type { FieldLookup } from "../field-lookup.ts";
import { FIELD } from "../field-names.ts";
import { MAX_FIELDS } from "./field-section.ts";
import { markHopByHop } from "./hop-by-hop.ts";
import type { MessageHead } from "./message-head.ts";
import { RequestHead, TARGET_FORM } from "./request-head.ts";
import { checkText, copy, copyRange, writeByte, writeText } from "./write-bytes.ts";
import { writeField, writeLineEnd } from "./write-head.ts";

const VERSION_END = Buffer.from(" HTTP/1.1\r\n");
const HOST_NAME = Buffer.from("Host: ");
const FIRST_ROOM_BYTES = 4_096;
const SLASH = 47;
const ONE = 49;

export class HeadEdit {
  #head: MessageHead | undefined;
  readonly #isLeftOut: Uint8Array = new Uint8Array(MAX_FIELDS);
  #leftOut = 0;
  #added: Buffer = Buffer.allocUnsafeSlow(FIRST_ROOM_BYTES);
  #addedBytes = 0;
  #path: string | undefined;

  /** Starts over: `head` as it is to go on if nothing else is said. Valid as long as the head's bytes are. */
  begin(head: MessageHead): void {
    this.#head = head;
    this.#addedBytes = 0;
    this.#path = undefined;
    if (this.#leftOut > 0) this.#isLeftOut.fill(0);
    this.#leftOut = markHopByHop(head, this.#isLeftOut);
    if (head instanceof RequestHead && head.form === TARGET_FORM.absolute) {
      this.leaveOut(FIELD.host);
      this.#addAuthority(head);
    }
  }

  /** Every field of that name. @param id one of `FIELD` */
  leaveOut(id: number): void {
    const head = this.#head;
    if (head === undefined || (id < 32 && (head.seen & (1 << id)) === 0)) return;
    for (let index = 0; index < head.count; index++) {
      if (head.ids[index] === id) this.leaveOutAt(index);
    }
  }

  /** Every field of a name that has no id, perhaps. */
  leaveOutNamed(lookup: FieldLookup): void {
    const head = this.#head;
    if (head === undefined) return;
    for (let at = lookup.find(head); at >= 0; at = lookup.find(head, at + 1)) this.leaveOutAt(at);
  }

  /** One field by its place in the head. */
  leaveOutAt(index: number): void {
    if (this.#isLeftOut[index] === 0) this.#leftOut++;
    this.#isLeftOut[index] = 1;
  }

  /** Whether a field of the head goes on as it came: for who writes it in another form, such as HTTP/2. */
  stays(index: number): boolean {
    return this.#isLeftOut[index] === 0;
  }

  /**
   * Adds a field behind all others.
   *
   * @param value each character is written as one byte
   * @throws RangeError if one of them could end the field, or the name is none: what was made of a stranger's words
   */
  add(name: string, value: string): void {
    const at = this.#reserve(name.length + value.length + 4);
    this.#addedBytes = writeField(this.#added, at, [name, value]);
  }

  /** Adds whole field lines that were made before, each with its line end. */
  addLines(lines: Buffer): void {
    this.#addedBytes = copy(lines, this.#added, this.#reserve(lines.length));
  }

  /**
   * The path and query that go on in place of the received ones (AP-106); of a request, but not of a CONNECT.
   *
   * @param path each character is written as one byte
   * @throws RangeError if one of them may not stand in a request target
   */
  setPath(path: string): void {
    if (path === "") throw new RangeError("a path must not be empty");
    checkText(path, TARGET);
    this.#path = path;
  }

  /** The most bytes that `write` can need. */
  get maxBytes(): number {
    const head = this.#head;
    if (head === undefined) return 0;
    return head.end - head.start + this.#addedBytes + (this.#path?.length ?? 0) + 1;
  }

  /** @returns the offset in `target` behind the head; `target` must have room for `maxBytes` from `at` on */
  write(target: Buffer, at: number): number {
    const head = this.#head;
    if (head === undefined) return at;
    let end = this.#writeStartLine(head, target, at);
    end = this.#writeKept(head, target, end);
    end = copyRange({ bytes: this.#added, start: 0, end: this.#addedBytes }, target, end);
    return writeLineEnd(target, end);
  }

  #writeStartLine(head: MessageHead, target: Buffer, at: number): number {
    const { bytes, start } = head;
    if (!(head instanceof RequestHead)) {
      target[copyRange({ bytes, start, end: start + 7 }, target, at)] = ONE;
      return copyRange({ bytes, start: start + 8, end: head.fieldsStart }, target, at + 8);
    }
    const path = this.#path;
    if (path === undefined && head.form !== TARGET_FORM.absolute) {
      const end = copyRange({ bytes, start, end: head.targetEnd }, target, at);
      return copy(VERSION_END, target, end);
    }
    let end = copyRange({ bytes, start, end: head.targetStart }, target, at);
    if (path !== undefined) end = writeText(target, end, path);
    else {
      if (bytes[head.pathStart] !== SLASH || head.pathEnd === head.pathStart)
        end = writeByte(target, end, SLASH);
      end = copyRange({ bytes, start: head.pathStart, end: head.pathEnd }, target, end);
    }
    return copy(VERSION_END, target, end);
  }

  /** Lines that stand together and stay are one copy. */
  #writeKept(head: MessageHead, target: Buffer, at: number): number {
    const { bytes, ranges, count } = head;
    const last = head.end - 2;
    if (this.#leftOut === 0)
      return copyRange({ bytes, start: head.fieldsStart, end: last }, target, at);
    let end = at;
    let start = head.fieldsStart;
    for (let index = 0; index < count; index++) {
      if (this.#isLeftOut[index] === 0) continue;
      end = copyRange({ bytes, start, end: ranges[4 * index] ?? 0 }, target, end);
      start = index + 1 < count ? (ranges[4 * index + 4] ?? 0) : last;
    }
    return copyRange({ bytes, start, end: last }, target, end);
  }

  #addAuthority({ bytes, authorityStart, authorityEnd }: RequestHead): void {
    const at = this.#reserve(HOST_NAME.length + authorityEnd - authorityStart + 2);
    let end = copy(HOST_NAME, this.#added, at);
    end = copyRange({ bytes, start: authorityStart, end: authorityEnd }, this.#added, end);
    this.#addedBytes = writeLineEnd(this.#added, end);
  }

  /** @returns where to write what is added next */
  #reserve(length: number): number {
    const needed = this.#addedBytes + length;
    if (needed > this.#added.length) {
      const larger = Buffer.allocUnsafeSlow(2 * needed);
      larger.set(this.#added);
      this.#added = larger;
    }
    return this.#addedBytes;
  }
}
