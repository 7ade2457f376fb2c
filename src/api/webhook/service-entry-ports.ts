/** The ports of a ServiceEntry as Istio's webhook judges them. */
import type { Fields } from "../decoder.ts";
import { quoted } from "../quoted.ts";
import { portNameProblem, portNumberProblem, protocolFamily, protocolProblem } from "./port.ts";
import { numberIn, textIn, textsIn } from "./written-values.ts";

const ALLOCATION_LABEL = "networking.istio.io/enable-autoallocate-ip";

/** @param labels of the ServiceEntry itself */
export function checkServicePorts(spec: Fields, labels: ReadonlyMap<string, string>): void {
  const names = new Set<string>();
  const numbers = new Set<number>();
  for (const port of spec.list("ports")) {
    const name = textIn(port, "name");
    const number = numberIn(port, "number");
    if (names.has(name)) port.report("name", `${quoted(name)} is the name of another port too`);
    if (numbers.has(number)) port.report("number", `${number} is the number of another port too`);
    names.add(name);
    numbers.add(number);
    checkServicePort(port);
    if (!hasAddress(spec, labels) && ["", "TCP"].includes(textIn(port, "protocol"))) {
      port.notice(
        "protocol",
        "is TCP or not given, which needs addresses where none are allocated automatically",
      );
    }
  }
  if (textsIn(spec, "hosts").length > 1) refuseUnnamedTraffic(spec);
}

function checkServicePort(port: Fields): void {
  const protocol = textIn(port, "protocol");
  const target = numberIn(port, "targetPort");
  const problems = {
    number: portNumberProblem(numberIn(port, "number")),
    name: portNameProblem(textIn(port, "name")),
    protocol: protocol === "" ? undefined : protocolProblem(protocol),
    targetPort: target === 0 ? undefined : portNumberProblem(target),
  };
  for (const [name, problem] of Object.entries(problems)) {
    if (problem !== undefined) port.report(name, problem);
  }
}

/** By its own addresses, or by automatic allocation, which is on unless a label turns it off. */
function hasAddress(spec: Fields, labels: ReadonlyMap<string, string>): boolean {
  if (spec.itemCount("addresses") > 0) return true;
  if (["", "NONE"].includes(textIn(spec, "resolution"))) return false;
  return labels.get(ALLOCATION_LABEL)?.toLowerCase() !== "false";
}

/** Several hosts are told apart by what HTTP and TLS say; nothing is told apart where nothing is resolved. */
function refuseUnnamedTraffic(spec: Fields): void {
  if (["", "NONE"].includes(textIn(spec, "resolution"))) return;
  const unnamed = spec.list("ports").find((port) => {
    const family = protocolFamily(textIn(port, "protocol"));
    return family !== "http" && family !== "tls";
  });
  unnamed?.report("protocol", "is neither HTTP nor TLS, so several hosts cannot be told apart");
}
