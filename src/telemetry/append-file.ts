/** A file that somebody named, to which lines are added. What is there already stays; a pipe without reader is refused. */
import { closeSync, constants, openSync, writeSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import type { LineSink } from "./gathered-lines.ts";

const { O_WRONLY, O_APPEND, O_CREAT, O_NONBLOCK } = constants;
const FLAGS = O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK;
const MODE = 0o600;

/** Opened with the first line, and again after an error. */
export function appendFileSink(path: string): LineSink {
  let file: FileHandle | undefined;
  const close = async (): Promise<void> => {
    const opened = file;
    file = undefined;
    await opened?.close();
  };
  return {
    async write(lines) {
      file ??= await open(path, FLAGS, MODE);
      try {
        await append(file, Buffer.from(`${lines}\n`));
      } catch (error) {
        await close();
        throw error;
      }
    },
    writeNow(lines) {
      const descriptor = openSync(path, FLAGS, MODE);
      try {
        writeSync(descriptor, `${lines}\n`);
      } finally {
        closeSync(descriptor);
      }
    },
    close,
  };
}

/** In one piece, which `appendFile` does not: other processes may write there too. */
async function append(file: FileHandle, bytes: Buffer): Promise<void> {
  for (let rest = bytes; rest.length > 0; ) {
    const { bytesWritten } = await file.write(rest);
    rest = rest.subarray(bytesWritten);
  }
}
