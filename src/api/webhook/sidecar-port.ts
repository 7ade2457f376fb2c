/** The port of a listener of a Sidecar, in and out: its name is optional, and it has no port behind it. */
import type { Fields } from "../decoder.ts";
import { portNameProblem, protocolProblem } from "./port.ts";
import { numberIn, textIn } from "./written-values.ts";

/** Its number is the caller's matter: a listener on a Unix socket has none. */
export function checkSidecarPort(port: Fields): void {
  const name = textIn(port, "name");
  const protocol = textIn(port, "protocol");
  const problems = {
    name: name === "" ? undefined : portNameProblem(name),
    protocol: protocol === "" ? undefined : protocolProblem(protocol),
    targetPort: numberIn(port, "targetPort") > 0 ? "has no effect on a Sidecar" : undefined,
  };
  for (const [field, problem] of Object.entries(problems)) {
    if (problem !== undefined) port.report(field, problem);
  }
}
