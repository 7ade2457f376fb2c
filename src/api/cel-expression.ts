/** The door to the CEL parser, for expressions that Istio only parses: what they name is found out at run time. */
import { parse } from "@bufbuild/cel";

/** @returns what is wrong with the syntax of an expression; undefined when nothing is */
export function celProblem(expression: string): string | undefined {
  try {
    parse(expression);
    return undefined;
  } catch (error) {
    const place = /:(\d+):(\d+):/.exec(error instanceof Error ? error.message : "");
    return place === null
      ? "is not a CEL expression"
      : `is not a CEL expression: line ${place[1]}, column ${place[2]} cannot be read`;
  }
}
