/** How a workload outside the cluster is asked whether it is ready, as Istio's webhook judges it. */
import type { Fields } from "../decoder.ts";
import { quoted } from "../quoted.ts";
import { portNumberProblem } from "./port.ts";
import { numberIn, textIn } from "./written-values.ts";

const COUNTS = [
  "periodSeconds",
  "initialDelaySeconds",
  "timeoutSeconds",
  "successThreshold",
  "failureThreshold",
];
/** Istio's own names, and stricter than HTTP: no underscore. */
const HEADER_NAME = /^[-A-Za-z0-9]+$/;

const SUPPORTED = ["httpGet", "tcpSocket", "exec"] as const;
/** The API has `grpc` too; the webhook does not know it. */
const METHODS = [...SUPPORTED, "grpc"] as const;

export function checkReadinessProbe(probe: Fields): void {
  for (const name of COUNTS) {
    const count = numberIn(probe, name);
    if (count < 0) probe.report(name, `is ${count}; must not be negative`);
  }
  // Where several are given, the last is what Istio reads; that there is one only is the schema's matter.
  const method = METHODS.findLast((name) => probe.has(name));
  if (method === undefined) probe.reportHere(`must have one of ${SUPPORTED.join(", ")}`);
  else if (method === "httpGet") checkHttpGet(probe.section(method));
  else if (method === "tcpSocket") checkPort(probe.section(method));
  else if (method === "exec") checkExec(probe.section(method));
  else probe.report(method, `is not supported by istiod; expected one of ${SUPPORTED.join(", ")}`);
}

function checkHttpGet(request: Fields): void {
  checkPort(request);
  const scheme = textIn(request, "scheme");
  if (!["", "HTTP", "HTTPS"].includes(scheme)) {
    request.report("scheme", `${quoted(scheme)} is neither HTTP nor HTTPS`);
  }
  for (const header of request.list("httpHeaders")) {
    const name = textIn(header, "name");
    if (HEADER_NAME.test(name)) continue;
    header.report("name", `${quoted(name)} is not the name of a header: letters, digits and "-"`);
  }
}

function checkPort(method: Fields): void {
  const problem = portNumberProblem(numberIn(method, "port"));
  if (problem !== undefined) method.report("port", problem);
}

function checkExec(method: Fields): void {
  if (method.itemCount("command") === 0) method.report("command", "must have at least one item");
}
