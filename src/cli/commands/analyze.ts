/** `hauberk analyze`: what is good YAML and yet not what its writer can have meant. Needs no running mesh. */
import { cwd } from "node:process";
import { readResourceFiles } from "../../control/resource-files.ts";
import { findProgram } from "../../local/processes/find-program.ts";
import { regoAuthorizers } from "../../policy/rego/rego-authorizers.ts";
import { describeError, HauberkError } from "../../runtime/hauberk-error.ts";
import { printable } from "../../runtime/printable.ts";
import { formatIssue } from "../format-issue.ts";
import type { Printers } from "../print-line.ts";
import { analyzeRego } from "../rego/analyze-rego.ts";
import { RegoNotEvaluatedError } from "../rego/evaluate-rego.ts";

/** Exit codes: scripts rely on them. */
const NOTHING = 0;
const FOUND = 1;
const NOT_LOOKED_AT = 2;

/**
 * @param paths files, and folders of them
 * @returns the exit code: 0 nothing is odd, 1 something is, 2 something could not be looked at
 */
export async function analyzeCommand(
  paths: readonly string[],
  { print, warn }: Printers,
): Promise<number> {
  const { resources, issues } = await readResourceFiles(paths);
  for (const issue of issues) warn(printable(formatIssue(issue)));
  const authorizers = regoAuthorizers(resources);
  const found = { findings: 0, problems: issues.length };
  const opa = authorizers.length === 0 ? undefined : await findOpa();
  for (const authorizer of authorizers) {
    try {
      if (opa === undefined)
        throw new RegoNotEvaluatedError("there is no program opa in your PATH");
      for (const { level, where, message } of await analyzeRego(authorizer, opa)) {
        found.findings++;
        print(printable(`${where}: ${level}: ${message}`));
      }
    } catch (error) {
      if (!(error instanceof HauberkError)) throw error;
      found.problems++;
      warn(printable(`${authorizer.title}: its Rego was not looked at: ${describeError(error)}`));
    }
  }
  if (found.findings === 0 && found.problems === 0) print("nothing odd was found");
  if (found.problems > 0) return NOT_LOOKED_AT;
  return found.findings > 0 ? FOUND : NOTHING;
}

function findOpa(): Promise<string | undefined> {
  return findProgram("opa", { path: process.env["PATH"] ?? "", workingDirectory: cwd() });
}
