/** All that comes, where whoever sends it chooses how much that is. */
import { NotReadableFileError } from "./regular-file.ts";

/** @throws NotReadableFileError as soon as there is more, whose message goes on after the source's name */
export async function boundedBytes(
  source: AsyncIterable<Uint8Array>,
  maxBytes: number,
): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of source) {
    length += chunk.length;
    if (length > maxBytes) throw new NotReadableFileError(`is longer than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
