/** What istiod's webhook demands of a Gateway, and what it warns of. */
import type { Fields } from "../decoder.ts";
import { quoted } from "../quoted.ts";
import { isAddress, isDnsLabel } from "./host-name.ts";
import { namespacedHostProblem } from "./namespaced-host.ts";
import { portNumberProblem, protocolFamily, protocolProblem } from "./port.ts";
import { checkServerTlsSettings, isPassThrough } from "./server-tls-settings.ts";
import { isUnixAddress, unixAddressProblem } from "./unix-address.ts";
import type { WebhookRequest } from "./webhook.ts";
import { flagIn, isGiven, numberIn, textIn, textsIn } from "./written-values.ts";

type Owner = "gateway" | "converted-gateway";

/** Istiod marks the gateways that it makes from the Gateway API so. */
const SEMANTICS = "internal.istio.io/gateway-semantics";

export function validateGateway({ name, annotations, root, spec }: WebhookRequest): void {
  const owner: Owner = annotations[SEMANTICS] === "gateway" ? "converted-gateway" : "gateway";
  if (owner === "gateway" && !isDnsLabel(name)) {
    const problem = `${quoted(name)} is not the name of a Gateway: a DNS label, without dots`;
    root.section("metadata").report("name", problem);
  }
  const servers = spec.list("servers");
  if (spec.itemCount("servers") === 0) spec.report("servers", "must have at least one item");
  for (const server of servers) checkServer(server, owner);
  checkPortNames(servers);
}

function checkServer(server: Fields, owner: Owner): void {
  const hosts = textsIn(server, "hosts");
  if (hosts.length === 0) server.report("hosts", "must have at least one item");
  for (const [item, host] of hosts.entries()) {
    const problem = namespacedHostProblem(host, owner);
    if (problem !== undefined) server.report({ name: "hosts", item }, problem);
  }
  const port = checkPort(server);
  checkBind(server);
  checkServerTlsSettings(server.section("tls"));
  if (port === "good") checkTlsFitsProtocol(server);
}

function checkPort(server: Fields): "good" | "bad" {
  if (!server.has("port")) {
    server.report("port", "is missing");
    return "bad";
  }
  const port = server.section("port");
  const number = numberIn(port, "number");
  const numbered = number > 0 || !isUnixAddress(textIn(server, "bind"));
  const problems = [
    ["protocol", protocolProblem(textIn(port, "protocol"))],
    ["number", numbered ? portNumberProblem(number) : undefined],
    ["targetPort", numberIn(port, "targetPort") > 0 ? "has no effect in a Gateway" : undefined],
    ["name", textIn(port, "name") === "" ? "is missing" : undefined],
  ] as const;
  for (const [name, problem] of problems) if (problem !== undefined) port.report(name, problem);
  return problems.every(([, problem]) => problem === undefined) ? "good" : "bad";
}

function checkBind(server: Fields): void {
  const bind = textIn(server, "bind");
  if (isUnixAddress(bind)) {
    const problem = unixAddressProblem(bind);
    if (problem !== undefined) server.report("bind", problem);
    if (numberIn(server.section("port"), "number") !== 0) {
      server.section("port").report("number", "must be 0 for a Unix socket");
    }
  } else if (bind !== "" && !isAddress(bind)) {
    server.report("bind", `${quoted(bind)} is neither an address nor unix://PATH`);
  }
}

function checkTlsFitsProtocol(server: Fields): void {
  const protocol = textIn(server.section("port"), "protocol");
  const family = protocolFamily(protocol);
  if (family === "tls") {
    if (!server.has("tls")) server.report("tls", `is missing; protocol ${protocol} needs it`);
  } else if (server.has("tls") && !(family === "http" && onlyRedirects(server.section("tls")))) {
    server.report("tls", `must not be given for protocol ${protocol}, which has no TLS`);
  }
}

/** Of TLS, an HTTP server has at most `httpsRedirect`. */
function onlyRedirects(tls: Fields): boolean {
  const files = ["caCertificates", "privateKey", "serverCertificate"];
  return isPassThrough(tls) && files.every((name) => !isGiven(tls, name));
}

function checkPortNames(servers: readonly Fields[]): void {
  const names = new Set<string>();
  for (const server of servers.filter((one) => one.has("port"))) {
    const port = server.section("port");
    const name = textIn(port, "name");
    if (names.has(name)) port.report("name", `${quoted(name)} is given twice`);
    names.add(name);
    const tls = server.section("tls");
    if (flagIn(tls, "httpsRedirect") && protocolFamily(textIn(port, "protocol")) !== "http") {
      tls.notice("httpsRedirect", "has no effect but in an HTTP server");
    }
  }
}
