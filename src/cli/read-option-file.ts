/** A file that an option names: where it cannot be read, which file was meant, and what the option takes. */
import { readFile } from "node:fs/promises";
import { isAbsolute, resolve } from "node:path";
import { QuestionError } from "../policy/question.ts";
import { describeError } from "../runtime/hauberk-error.ts";

export interface OptionFile {
  /** As users write it: `--token`. */
  readonly option: string;
  readonly file: string;
  /** What the option takes, in words. */
  readonly takes: string;
}

/** @throws QuestionError */
export async function readOptionFile({ option, file, takes }: OptionFile): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new QuestionError(
      `${option} ${file}: ${problemOf(error, file)}; ${option} takes ${takes}`,
    );
  }
}

function problemOf(error: unknown, file: string): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  const place = isAbsolute(file) ? "" : ` ${resolve(file)}`;
  if (code === "ENOENT") return place === "" ? "there is no such file" : `there is no file${place}`;
  if (code === "EISDIR") return "that is a folder";
  if (code === "EACCES") return "that file may not be read";
  return describeError(error);
}
