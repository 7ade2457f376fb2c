/** `headers` of a route and of a destination: what is added, set and removed. */
import type { Fields } from "../decoder.ts";
import { isAuthority, plainHeaderProblem, requestHeaderProblem } from "./header-name.ts";
import { headerValueProblem } from "./header-value.ts";
import { textIn, textPairsIn, textsIn } from "./written-values.ts";

/** @param owner the route or destination that has `headers`, or none */
export function checkHeaderOperations(owner: Fields): void {
  const headers = owner.section("headers");
  checkOperations(headers.section("request"), requestHeaderProblem);
  checkOperations(headers.section("response"), plainHeaderProblem);
}

function checkOperations(
  operations: Fields,
  nameProblem: (name: string) => string | undefined,
): void {
  for (const operation of ["add", "set"]) {
    for (const [name, value] of textPairsIn(operations, operation)) {
      const problem = nameProblem(name) ?? headerValueProblem(value);
      if (problem !== undefined) operations.section(operation).report(name, problem);
    }
  }
  for (const [item, name] of textsIn(operations, "remove").entries()) {
    const problem = plainHeaderProblem(name);
    if (problem !== undefined) operations.report({ name: "remove", item }, problem);
  }
}

/** The authority may be written anew in one place only: `rewrite`, or one header that is set or added. */
export function checkAuthorityOnce(route: Fields): void {
  let current = textIn(route.section("rewrite"), "authority");
  const request = route.section("headers").section("request");
  for (const operation of ["set", "add"]) {
    for (const [name, value] of textPairsIn(request, operation)) {
      if (!isAuthority(name)) continue;
      if (current !== "") {
        request.section(operation).report(name, "sets the authority, which is set already");
        return;
      }
      current = value;
    }
  }
}
