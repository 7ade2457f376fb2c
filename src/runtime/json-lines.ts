/** JSON values, one a line, over a byte stream: how a supervisor and the processes it starts talk. */
import type { Duplex, Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";

/** A longer line ends the conversation: the other side does not decide how much memory we spend. */
const MAX_LINE_CHARACTERS = 16 * 1024 * 1024;

export function writeJsonLine(stream: Duplex, value: unknown): void {
  if (stream.writable) stream.write(`${JSON.stringify(value)}\n`);
}

/**
 * Calls `receive` with every value read from `stream`. A line that is no JSON, or is too long, destroys the stream.
 *
 * @param options.maxLineCharacters checked whenever a chunk has been read
 */
export function readJsonLines(
  stream: Readable,
  receive: (value: unknown) => void,
  { maxLineCharacters = MAX_LINE_CHARACTERS }: { readonly maxLineCharacters?: number } = {},
): void {
  const decoder = new StringDecoder("utf8");
  let parts: string[] = [];
  let length = 0;
  stream.on("data", (chunk: Buffer) => {
    const text = decoder.write(chunk);
    let start = 0;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", start)) {
      const line = parts.join("") + text.slice(start, end);
      parts = [];
      length = 0;
      start = end + 1;
      if (line === "") continue;
      let value: unknown;
      try {
        value = JSON.parse(line);
      } catch (cause) {
        stream.destroy(new Error("a line is not JSON", { cause }));
        return;
      }
      receive(value);
    }
    parts.push(text.slice(start));
    length += text.length - start;
    if (length > maxLineCharacters) {
      stream.destroy(new Error(`a line is longer than ${maxLineCharacters} characters`));
    }
  });
}
