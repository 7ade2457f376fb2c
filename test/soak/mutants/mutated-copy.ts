/** A copy of the repository in which every mutant is present and none is active: an environment variable names one. */
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Instrumenter } from "@stryker-mutator/instrumenter";

/** Lines and columns count from 0. */
interface Place {
  readonly line: number;
  readonly column: number;
}

export interface Mutant {
  readonly id: string;
  readonly fileName: string;
  readonly mutatorName: string;
  readonly replacement: string;
  readonly location: { readonly start: Place; readonly end: Place };
  readonly status?: string;
}

/** The environment variable that names the active mutant. */
export const ACTIVE_MUTANT = "HAUBERK_MUTANT";
/** The global table in which mutated code marks, by number, the mutants whose place it passes. */
export const REACHED = "hauberkMutantsReached";

const COPIED = [
  "src",
  "test",
  "examples",
  "docs",
  "package.json",
  "tsconfig.json",
  "ARCHITECTURE.md",
  "README.md",
];
const MATCHERS = ["string-match", "path-template", "cidr", "label-selector", "plain-address"];

/** @returns a new folder below the system's temporary one; whoever asks removes it */
export function copyRepository(): string {
  const folder = mkdtempSync(join(tmpdir(), "hauberk-mutants-"));
  for (const path of COPIED) cpSync(path, join(folder, path), { recursive: true });
  symlinkSync(resolve("node_modules"), join(folder, "node_modules"));
  return folder;
}

/** Writes all mutants into the copy: those of `src/policy` and of the matchers in `src/api`. */
export async function writeMutants(folder: string): Promise<readonly Mutant[]> {
  const given = mutatedFiles().map((name) => ({
    name,
    mutate: true,
    content: readFileSync(name, "utf8"),
  }));
  const { files, mutants } = await new Instrumenter(SILENT).instrument(given, {
    plugins: null,
    excludedMutations: [],
    ignorers: [],
  });
  for (const { name, content } of files) writeFileSync(join(folder, name), quickened(content));
  return mutants.filter(({ status }) => status !== "Ignored");
}

/** The instrumenter's own functions make the laws' tests many times slower than a number and a table of bytes. */
function quickened(content: string): string {
  const quick = content
    .replace(/\bstryMutAct_\w+\("(\d+)"\)/g, "(mutantActive === $1)")
    .replace(/\bstryCov_\w+\(((?:"\d+"(?:, )?)+)\)/g, (_, ids: string) => {
      const marks = ids.split(", ").map((id) => `mutantsReached[${id.slice(1, -1)}] = `);
      return `(${marks.join("")}1)`;
    });
  return `${PREAMBLE}\n${quick}`;
}

const PREAMBLE = `
const mutantActive = Number(process.env.${ACTIVE_MUTANT} ?? -1);
const mutantsReached = (globalThis.${REACHED} ??= new Uint8Array(100_000));`;

function mutatedFiles(): readonly string[] {
  const policy = readdirSync("src/policy", { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
    .map((file) => `src/policy/${file}`);
  return [...policy, ...MATCHERS.map((name) => `src/api/${name}.ts`)];
}

const nothing = (): void => {};
const no = (): boolean => false;
const SILENT = {
  isTraceEnabled: no,
  isDebugEnabled: no,
  isInfoEnabled: no,
  isWarnEnabled: no,
  isErrorEnabled: no,
  isFatalEnabled: no,
  trace: nothing,
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  fatal: nothing,
};
