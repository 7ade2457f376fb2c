/** The pipe a process was started with: file descriptor 3, instructions in, reports out. */
import { fstatSync } from "node:fs";
import { Socket } from "node:net";
import { HauberkError } from "../runtime/hauberk-error.ts";
import { readJsonLines, writeJsonLine } from "../runtime/json-lines.ts";

const FILE_DESCRIPTOR = 3;
/** The largest file of resources, as JSON writes its text. */
const MAX_LINE_CHARACTERS = 256 * 1024 * 1024;

/** A command that only `hauberk up` may start was started by hand. */
export class NotStartedByHauberkError extends HauberkError {
  readonly code = "HAUBERK_NOT_STARTED_BY_HAUBERK";
}

export interface InheritedPipe<Report> {
  send(report: Report): void;
  /** From now on the open pipe alone does not keep the process running. */
  unref(): void;
  /** Until then the open pipe keeps the process running. */
  close(): void;
}

/**
 * @param receive hears every instruction
 * @param onEnd called once when whoever started this process is gone
 * @throws NotStartedByHauberkError when there is no such pipe
 */
export function openInheritedPipe<Instruction, Report>(
  receive: (instruction: Instruction) => void,
  onEnd: () => void,
): InheritedPipe<Report> {
  let socket: Socket;
  try {
    if (!fstatSync(FILE_DESCRIPTOR).isSocket()) throw new Error("it is not a socket");
    socket = new Socket({ fd: FILE_DESCRIPTOR, readable: true, writable: true });
  } catch (cause) {
    throw new NotStartedByHauberkError(
      "this command is started by `hauberk up`, which instructs it over file descriptor 3",
      { cause },
    );
  }
  socket.on("error", () => socket.destroy());
  socket.on("close", onEnd);
  // The other end is our own supervisor, of this same version.
  readJsonLines(socket, (message) => receive(message as Instruction), {
    maxLineCharacters: MAX_LINE_CHARACTERS,
  });
  return {
    send: (report) => writeJsonLine(socket, report),
    unref: () => socket.unref(),
    close() {
      socket.removeListener("close", onEnd);
      socket.destroy();
    },
  };
}
