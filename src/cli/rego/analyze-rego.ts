/** What is odd in the Rego of a mesh's authorizers, in words. */
import { type Conjunction, pointlessConjunctions } from "../../policy/rego/pointless-conditions.ts";
import type { RegoAuthorizer, RegoFile } from "../../policy/rego/rego-authorizers.ts";
import { evaluateRego, type RegoError } from "./evaluate-rego.ts";

export interface RegoFinding {
  /** "error": OPA does not start with it, so that everything it is asked about is refused. */
  readonly level: "error" | "warning";
  /** `ConfigMap istio-system/opa-policies policy.rego:24`, or the authorizer as a whole. */
  readonly where: string;
  readonly message: string;
}

/** Only of the dialect that OPA takes by itself. */
const OLD_REGO = /keyword is required before rule body/;

/**
 * What OPA refuses, and what it would allow with the conditions that never decide anything. Where it refuses `==` for
 * what `=` would do, both are told: what is wrong, and what is odd once that is mended.
 *
 * @param opa path of the program
 * @throws RegoNotEvaluatedError
 */
export async function analyzeRego(
  authorizer: RegoAuthorizer,
  opa: string,
): Promise<readonly RegoFinding[]> {
  const evaluation = await evaluateRego(authorizer, opa);
  if (evaluation.outcome === "evaluated") return oddities(authorizer, evaluation.conjunctions);
  if (evaluation.errors.some(({ message }) => OLD_REGO.test(message))) {
    const old: RegoAuthorizer = { ...authorizer, dialect: "v0" };
    return [oldRego(authorizer), ...(await analyzeRego(old, opa))];
  }
  const mended = {
    ...authorizer,
    files: mendComparisons(authorizer.files, evaluation.errors),
  };
  const again = await evaluateRego(mended, opa);
  const isMended = again.outcome === "evaluated";
  const hint = "; == only compares: write = there, which gives a variable its value";
  const refusals = placesOf(authorizer, evaluation.errors).map(
    ([where, messages]): RegoFinding => ({
      level: "error",
      where,
      message: `OPA does not start with it: ${messages.join(", ")}${isMended ? hint : ""}`,
    }),
  );
  return isMended ? [...refusals, ...oddities(authorizer, again.conjunctions)] : refusals;
}

function oldRego({ title }: RegoAuthorizer): RegoFinding {
  return {
    level: "error",
    where: title,
    message:
      "OPA does not start with it: its Rego is from before OPA 1.0; set OPA_RUN_V0_COMPATIBLE to true in its environment",
  };
}

/** Of each line that is refused because a variable has no value there. */
function mendComparisons(
  files: readonly RegoFile[],
  errors: readonly RegoError[],
): readonly RegoFile[] {
  return files.map((file, index) => {
    const lines = file.text.split("\n");
    const unsafe = errors.filter(
      ({ file: at, message }) => at === index && /^var \S+ is unsafe$/.test(message),
    );
    for (const line of new Set(unsafe.map((error) => error.line))) {
      lines[line - 1] = lines[line - 1]?.replace(" == ", " = ") ?? "";
    }
    return { ...file, text: lines.join("\n") };
  });
}

function oddities(
  { title, decision }: RegoAuthorizer,
  conjunctions: readonly Conjunction[],
): readonly RegoFinding[] {
  const warn = (message: string): RegoFinding => ({ level: "warning", where: title, message });
  if (conjunctions.length === 0) return [warn(`${decision} never allows anything`)];
  if (conjunctions.some((conditions) => conditions.length === 0)) {
    return [warn(`${decision} allows every request: one of its rules has no condition left`)];
  }
  return pointlessConjunctions(conjunctions).map(({ at, coveredBy }) => {
    const [lesser = [], greater = []] = [conjunctions[coveredBy], conjunctions[at]];
    const without = greater.filter((condition) => !lesser.includes(condition));
    return warn(
      without.length === 0
        ? `${decision} says twice that it allows whenever ${inWords(lesser)}`
        : `${decision} allows whenever ${inWords(lesser)}, so that these conditions of another of its rules never decide anything: ${inWords(without)}`,
    );
  });
}

function inWords(conditions: Conjunction): string {
  return conditions.map((condition) => condition.replaceAll(/\s+/g, " ")).join(" and ");
}

/** What is wrong, by where. */
function placesOf(
  authorizer: RegoAuthorizer,
  errors: readonly RegoError[],
): readonly (readonly [where: string, messages: readonly string[]])[] {
  const found = new Map<string, string[]>();
  for (const error of errors) {
    const where = placeOf(authorizer, error);
    found.set(where, [...(found.get(where) ?? []), error.message]);
  }
  return [...found];
}

function placeOf({ title, files }: RegoAuthorizer, { file, line }: RegoError): string {
  const found = file === undefined ? undefined : files[file];
  return found === undefined ? title : `${found.configMap} ${found.name}:${line}`;
}
