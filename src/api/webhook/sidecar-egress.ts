/** Where a Sidecar lets traffic out: its listeners and the hosts behind them, as Istio's webhook judges them. */
import type { Fields } from "../decoder.ts";
import { quoted } from "../quoted.ts";
import { warnOfRepeatedHosts } from "./egress-hosts.ts";
import { isAddress } from "./host-name.ts";
import { namespacedHostProblem } from "./namespaced-host.ts";
import { portNumberProblem } from "./port.ts";
import { checkSidecarPort } from "./sidecar-port.ts";
import { isUnixAddress, unixAddressProblem } from "./unix-address.ts";
import { numberIn, textIn, textsIn } from "./written-values.ts";

/** @param namespace of the Sidecar */
export function checkEgressListeners(spec: Fields, namespace: string): void {
  const sockets = new Set<string>();
  const numbers = new Set<number>();
  const listeners = spec.list("egress");
  for (const listener of listeners) {
    if (!listener.has("port")) {
      if (listener === listeners.at(-1)) continue;
      listener.report("port", "is missing: only the last listener may do without");
      continue;
    }
    checkBind(listener);
    const number = numberIn(listener.section("port"), "number");
    if (number === 0) refuseRepeatedSocket(listener, sockets);
    else refuseRepeatedNumber(listener.section("port"), numbers);
  }
  for (const listener of listeners) checkHosts(listener, namespace);
}

function refuseRepeatedSocket(listener: Fields, sockets: Set<string>): void {
  const bind = textIn(listener, "bind");
  if (sockets.has(bind)) listener.report("bind", `${quoted(bind)} is another listener's too`);
  sockets.add(bind);
}

function refuseRepeatedNumber(port: Fields, numbers: Set<number>): void {
  const number = numberIn(port, "number");
  if (numbers.has(number)) port.report("number", `${number} is another listener's too`);
  numbers.add(number);
}

/** Port 0 is a listener on a Unix socket; any other may be bound to an address. */
function checkBind(listener: Fields): void {
  const port = listener.section("port");
  const number = numberIn(port, "number");
  checkSidecarPort(port);
  if (number === 0) {
    checkSocket(listener);
    return;
  }
  const problem = portNumberProblem(number);
  if (problem !== undefined) port.report("number", problem);
  const bind = textIn(listener, "bind");
  if (bind !== "" && !isAddress(bind)) {
    listener.report("bind", `${quoted(bind)} is not an IP address`);
  }
}

function checkSocket(listener: Fields): void {
  const bind = textIn(listener, "bind");
  const problem = isUnixAddress(bind)
    ? unixAddressProblem(bind)
    : "must be unix:///PATH when the number of the port is 0";
  if (problem !== undefined) listener.report("bind", problem);
  const captureMode = textIn(listener, "captureMode");
  if (!["", "DEFAULT", "NONE"].includes(captureMode)) {
    listener.report(
      "captureMode",
      `is ${captureMode}; a listener on a Unix socket expects DEFAULT or NONE`,
    );
  }
}

function checkHosts(listener: Fields, namespace: string): void {
  const hosts = textsIn(listener, "hosts");
  if (hosts.length === 0) listener.report("hosts", "must have at least one item");
  for (const [item, host] of hosts.entries()) {
    const problem = namespacedHostProblem(host, "sidecar");
    if (problem !== undefined) listener.report({ name: "hosts", item }, problem);
  }
  warnOfRepeatedHosts(listener, namespace);
}
