/** The examples that the demo can show, and the copy of one that it runs: a copy, since rows change policies in it. */
import { existsSync } from "node:fs";
import { chmod, cp, mkdir, readdir, rm } from "node:fs/promises";
import { join, relative } from "node:path";
import { HauberkError } from "../../runtime/hauberk-error.ts";
import { packagePath } from "../package-root.ts";
import { FIRST_VERDICT_ROWS } from "./first-verdict-rows.ts";
import { PRODUCTION_ROWS } from "./production-rows.ts";
import type { Row } from "./row.ts";

export const EXAMPLES: readonly Example[] = [
  {
    name: "production",
    rows: PRODUCTION_ROWS,
    logToRead: "production/api-0",
    question:
      "--from batch/batch --to production/api:8080 --request 'POST /api/v2/batch/stocktaking'",
  },
  {
    name: "first-verdict",
    rows: FIRST_VERDICT_ROWS,
    logToRead: "production/api-0",
    question: "--from production/frontend --to production/api:8080 --request 'PUT /api/orders'",
  },
];

export interface Example {
  /** Of its folder below `examples`. */
  readonly name: string;
  readonly rows: readonly Row[];
  /** Where to look next: whose access log, and what to ask `hauberk explain`. */
  readonly logToRead: string;
  readonly question: string;
}

/** There is no such example, or no such way to break it. */
export class UnknownExampleError extends HauberkError {
  readonly code = "HAUBERK_UNKNOWN_EXAMPLE";
}

const FOLDER = packagePath("examples");
/** Beside the files that are read: what is swapped in to break a part. */
const BREAK = "break";
/** The example's programs may run as another user; the data directory around is closed. */
const READABLE = 0o755;

/** @throws UnknownExampleError */
export function findExample(name: string): Example {
  const found = EXAMPLES.find((example) => example.name === name);
  if (found !== undefined) return found;
  const known = EXAMPLES.map((example) => example.name).join(", ");
  throw new UnknownExampleError(`there is no example "${name}"; expected one of ${known}`);
}

/**
 * Copies an example to a folder, in place of what is there.
 *
 * @param options.broken the part to break for real: files of the example are swapped for those in its `break/PART`
 * @returns the folder's path, relative where that is shorter to read
 * @throws UnknownExampleError
 */
export async function copyExample(
  { name }: Pick<Example, "name">,
  { to, broken }: { readonly to: string; readonly broken?: string | undefined },
): Promise<string> {
  const from = join(FOLDER, name);
  const swapped = broken ? join(from, BREAK, broken) : undefined;
  if (swapped !== undefined && !existsSync(swapped)) {
    const known = (await readdir(join(from, BREAK))).sort().join(", ");
    throw new UnknownExampleError(`"${broken}" cannot be broken; expected one of ${known}`);
  }
  await rm(to, { recursive: true, force: true });
  await mkdir(to, { recursive: true });
  await chmod(to, READABLE);
  await cp(from, to, { recursive: true, filter: (path) => path !== join(from, BREAK) });
  if (swapped !== undefined) await cp(swapped, to, { recursive: true });
  const near = relative(process.cwd(), to);
  return near.startsWith("..") ? to : near;
}
