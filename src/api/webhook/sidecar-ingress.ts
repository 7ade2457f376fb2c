/** Where a Sidecar lets traffic in: its listeners and the endpoints behind them, as Istio's webhook judges them. */
import type { Fields } from "../decoder.ts";
import { quoted } from "../quoted.ts";
import { checkConnectionPool } from "./connection-pool.ts";
import { isAddress } from "./host-name.ts";
import { portNumberProblem, protocolFamily } from "./port.ts";
import { checkIngressTls } from "./sidecar-ingress-tls.ts";
import { checkSidecarPort } from "./sidecar-port.ts";
import { isUnixAddress, unixAddressProblem } from "./unix-address.ts";
import { numberIn, textIn } from "./written-values.ts";

const HOST_AND_PORT = /^(?:\[([^[\]]*)\]|([^:[\]]*)):([^:[\]]*)$/;
/** This machine, all its addresses, or, when empty, either. */
const OWN_HOSTS = ["", "127.0.0.1", "0.0.0.0", "::1", "::"];
const WHOLE_NUMBER = /^[+-]?\d+$/;

export function checkIngressListeners(spec: Fields): void {
  const numbers = new Set<number>();
  for (const listener of spec.list("ingress")) {
    if (!listener.has("port")) {
      listener.report("port", "is missing");
      continue;
    }
    const port = listener.section("port");
    const number = numberIn(port, "number");
    checkPortAndBind(listener);
    if (numbers.has(number)) port.report("number", `${number} is another listener's too`);
    numbers.add(number);
    checkDefaultEndpoint(listener);
    checkIngressTls(listener);
    checkConnectionPool(listener);
    warnOfHttpPool(listener);
  }
}

function checkPortAndBind(listener: Fields): void {
  const port = listener.section("port");
  checkSidecarPort(port);
  const problem = portNumberProblem(numberIn(port, "number"));
  if (problem !== undefined) port.report("number", problem);
  const bind = textIn(listener, "bind");
  if (bind !== "" && !isAddress(bind)) {
    listener.report("bind", `${quoted(bind)} is not an IP address`);
  }
}

function checkDefaultEndpoint(listener: Fields): void {
  const endpoint = textIn(listener, "defaultEndpoint");
  if (endpoint === "") return;
  const problem = isUnixAddress(endpoint) ? unixAddressProblem(endpoint) : socketProblem(endpoint);
  if (problem !== undefined) listener.report("defaultEndpoint", problem);
}

function socketProblem(endpoint: string): string | undefined {
  const [whole, bracketed, plain = "", port = ""] = HOST_AND_PORT.exec(endpoint) ?? [];
  if (whole === undefined || !OWN_HOSTS.includes(bracketed ?? plain)) {
    return `${quoted(endpoint)} is not an endpoint of this workload; expected 127.0.0.1:PORT, 0.0.0.0:PORT, [::1]:PORT, [::]:PORT or unix:///PATH`;
  }
  if (!WHOLE_NUMBER.test(port)) return `${quoted(endpoint)} has no number after the last ":"`;
  return portNumberProblem(Number(port));
}

function warnOfHttpPool(listener: Fields): void {
  const protocol = textIn(listener.section("port"), "protocol");
  if (protocolFamily(protocol) === "http") return;
  const pool = listener.section("connectionPool");
  if (pool.has("http")) pool.notice("http", "has no effect on a port whose protocol is not HTTP");
}
