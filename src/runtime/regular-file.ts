/**
 * Reads a file that somebody named, and nothing but a file: a pipe would hold a thread for ever, a device has no end, and
 * four such reads stop every other one of the process.
 */
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { HauberkError } from "./hauberk-error.ts";

const CHUNK_BYTES = 65_536;

/** What was named is a folder, pipe, socket or device, or is longer than any that is read. */
export class NotReadableFileError extends HauberkError {
  readonly code = "HAUBERK_NOT_READABLE_FILE";
}

export interface ReadRegularFileOptions {
  /** Counted as it is read: what a file says of its own size is not believed. */
  readonly maxBytes: number;
  /** "refused" where nobody has reason to put a link, such as among our own keys. */
  readonly links: "followed" | "refused";
}

export interface RegularFile {
  readonly bytes: Buffer;
  readonly mode: number;
  readonly modifiedAt: Date;
}

/**
 * Returns at once, whatever is there.
 *
 * @throws NotReadableFileError whose message goes on after the file's name, and errors of the file system
 */
export async function readRegularFile(
  path: string,
  { maxBytes, links }: ReadRegularFileOptions,
): Promise<RegularFile> {
  const { O_RDONLY, O_NONBLOCK, O_NOFOLLOW } = constants;
  const file = await open(path, O_RDONLY | O_NONBLOCK | (links === "refused" ? O_NOFOLLOW : 0));
  try {
    // Asked of what was opened: another could have taken the name's place meanwhile.
    const stat = await file.stat();
    if (!stat.isFile()) throw new NotReadableFileError("is no regular file");
    const chunks: Buffer[] = [];
    for (let length = 0; ; ) {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(CHUNK_BYTES), 0, CHUNK_BYTES);
      if (bytesRead === 0) break;
      length += bytesRead;
      if (length > maxBytes) throw new NotReadableFileError(`is longer than ${maxBytes} bytes`);
      chunks.push(buffer.subarray(0, bytesRead));
    }
    return { bytes: Buffer.concat(chunks), mode: stat.mode, modifiedAt: stat.mtime };
  } finally {
    await file.close();
  }
}
