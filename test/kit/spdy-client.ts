/** A client of SPDY/3.1 that says whatever it is told, byte by byte: no library is between a test and the wire. */
import { setImmediate as turn } from "node:timers/promises";
import { constants, createDeflate } from "node:zlib";
import { HEADER_DICTIONARY } from "../../src/local/pod-streams/spdy/header-dictionary.ts";

const number32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};

export class SpdyWords {
  readonly #deflate = createDeflate({
    dictionary: HEADER_DICTIONARY,
    flush: constants.Z_SYNC_FLUSH,
  });

  async synStream(
    id: number,
    headers: Readonly<Record<string, string>>,
    flags = 0,
  ): Promise<Buffer> {
    const pairs = Object.entries(headers).flat();
    const block = Buffer.concat([
      number32(pairs.length / 2),
      ...pairs.flatMap((text) => [number32(text.length), Buffer.from(text, "latin1")]),
    ]);
    const parts: Buffer[] = [];
    const take = (part: Buffer): number => parts.push(part);
    this.#deflate.on("data", take);
    await new Promise<void>((resolve) => this.#deflate.write(block, () => resolve()));
    await turn();
    this.#deflate.off("data", take);
    return control(1, Buffer.concat([number32(id), Buffer.alloc(6), ...parts]), flags);
  }
}

/** Any control frame. */
export function control(type: number, body: Buffer, flags = 0): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(0x80030000 + type, 0);
  head.writeUInt32BE(body.length, 4);
  head[4] = flags;
  return Buffer.concat([head, body]);
}

export function data(id: number, text: string | Buffer, flags = 0): Buffer {
  const body = Buffer.from(text);
  const head = Buffer.alloc(8);
  head.writeUInt32BE(id, 0);
  head.writeUInt32BE(body.length, 4);
  head[4] = flags;
  return Buffer.concat([head, body]);
}

/** What a server said, in words: `SYN_REPLY 1`, `DATA 1 text`, `FIN 1`, `RST 3 5`, `PING 7`. */
export function told(bytes: Buffer): string[] {
  const words: string[] = [];
  let at = 0;
  while (at + 8 <= bytes.length) {
    const first = bytes.readUInt32BE(at);
    const size = bytes.readUIntBE(at + 5, 3);
    const fin = ((bytes[at + 4] ?? 0) & 1) !== 0;
    const body = bytes.subarray(at + 8, at + 8 + size);
    if (body.length < size) break;
    at += 8 + size;
    if (first < 0x80000000) {
      if (size > 0) words.push(`DATA ${first} ${body.toString("latin1")}`);
      if (fin) words.push(`FIN ${first}`);
      continue;
    }
    const type = first & 0xffff;
    const id = body.readUInt32BE(0);
    if (type === 2) words.push(`SYN_REPLY ${id}`);
    else if (type === 3) words.push(`RST ${id} ${body.readUInt32BE(4)}`);
    else if (type === 6) words.push(`PING ${id}`);
    else words.push(`TYPE ${type}`);
  }
  return words;
}
