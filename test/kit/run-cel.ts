/** Another evaluator of CEL, to ask the same questions. */
import { type CelInput, isCelError, run } from "@bufbuild/cel";

/** @returns "error" for one, whatever its reason */
export function runCel(expression: string, variables: Record<string, CelInput>): unknown {
  try {
    const result = run(expression, variables);
    return isCelError(result) ? "error" : result;
  } catch {
    return "error";
  }
}
