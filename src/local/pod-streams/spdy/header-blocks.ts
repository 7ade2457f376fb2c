/** Header blocks of SPDY/3.1: pairs of texts, compressed all with one context for each direction. Section 2.6.10 */
import type { Transform } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import { constants, createDeflate, createInflate } from "node:zlib";
import { HEADER_DICTIONARY } from "./header-dictionary.ts";
import { SpdyError } from "./spdy-error.ts";

/** Decompressed. */
const MAX_BLOCK_BYTES = 16 * 1024;
const MAX_HEADERS = 64;

const OPTIONS = { dictionary: HEADER_DICTIONARY, flush: constants.Z_SYNC_FLUSH };

export class HeaderBlocks {
  readonly #inflate: Transform = createInflate(OPTIONS);
  readonly #deflate: Transform = createDeflate(OPTIONS);

  constructor() {
    for (const one of [this.#inflate, this.#deflate]) one.on("error", () => {}); // whoever writes hears of it
  }

  /** Names are lower case. One block at a time. @throws SpdyError */
  async read(block: Buffer): Promise<ReadonlyMap<string, string>> {
    return parseBlock(await through(this.#inflate, block));
  }

  /** Without any header: there is nothing to say. One block at a time. */
  writeEmpty(): Promise<Buffer> {
    return through(this.#deflate, Buffer.alloc(4));
  }

  close(): void {
    this.#inflate.destroy();
    this.#deflate.destroy();
  }
}

async function through(transform: Transform, block: Buffer): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  let fail = (): void => {};
  const take = (part: Buffer): void => {
    length += part.length;
    if (length > MAX_BLOCK_BYTES) transform.destroy();
    else parts.push(part);
  };
  transform.on("data", take);
  try {
    await new Promise<void>((resolve, reject) => {
      fail = () => reject(unreadable());
      transform.once("close", fail);
      transform.write(block, (error) => (error ? reject(unreadable(error)) : resolve()));
    });
    await turn();
  } catch (error) {
    if (length <= MAX_BLOCK_BYTES) throw error;
  } finally {
    transform.off("data", take);
    transform.off("close", fail);
  }
  if (length > MAX_BLOCK_BYTES)
    throw new SpdyError(`headers of more than ${MAX_BLOCK_BYTES} bytes`);
  return Buffer.concat(parts);
}

function unreadable(cause?: Error): SpdyError {
  return new SpdyError("headers that cannot be decompressed", { cause });
}

function parseBlock(block: Buffer): ReadonlyMap<string, string> {
  const reader = new BlockReader(block);
  const count = reader.number();
  if (count > MAX_HEADERS)
    throw new SpdyError(`${count} headers; at most ${MAX_HEADERS} are taken`);
  const headers = new Map<string, string>();
  for (let index = 0; index < count; index++)
    headers.set(reader.text().toLowerCase(), reader.text());
  return headers;
}

class BlockReader {
  readonly #block: Buffer;
  #at = 0;

  constructor(block: Buffer) {
    this.#block = block;
  }

  number(): number {
    this.#need(4);
    const value = this.#block.readUInt32BE(this.#at);
    this.#at += 4;
    return value;
  }

  text(): string {
    const length = this.number();
    this.#need(length);
    this.#at += length;
    return this.#block.toString("latin1", this.#at - length, this.#at);
  }

  #need(bytes: number): void {
    if (this.#at + bytes > this.#block.length) throw new SpdyError("a header block is cut short");
  }
}
