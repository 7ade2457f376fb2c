#!/usr/bin/env node
/** The entry: argv -> command -> exit code. */
import { describeError, HauberkError } from "../runtime/hauberk-error.ts";
import { warnLine } from "./print-line.ts";
import { buildProgram } from "./program.ts";

// Whoever read the output, such as `head`, has gone: end as other programs do, in order where something runs.
let readerIsGone = false;
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  if (!readerIsGone) process.kill(process.pid, "SIGTERM");
  readerIsGone = true;
});

try {
  await buildProgram().parseAsync();
} catch (error) {
  process.exitCode = report(error);
}

/** Commander has already said what is wrong with the arguments; its own codes are 0 for help and 1 otherwise. */
function report(error: unknown): number {
  if (error instanceof Error && "exitCode" in error && "code" in error)
    return Number(error.exitCode);
  const code = error instanceof HauberkError ? ` [${error.code}]` : "";
  warnLine(`hauberk: ${describeError(error)}${code}`);
  if (!(error instanceof HauberkError) && error instanceof Error) {
    warnLine(error.stack ?? "");
  }
  return 1;
}
