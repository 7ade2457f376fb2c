/** Rules with fields of HTTP for ports that carry bytes (AP-60 to AP-62). */

import type { AnalyzedMesh, AnalyzedPod } from "../analyzed-mesh.ts";
import { selects } from "../analyzed-mesh.ts";
import type { AnalyzedObject } from "../analyzed-object.ts";
import { actionOf, podsOf, rulesOf, type WrittenRule } from "../authorization-rules.ts";
import type { Field } from "../field.ts";
import { type Analyzer, finding } from "../finding.ts";

const OF_OPERATION = ["hosts", "methods", "paths", "notHosts", "notMethods", "notPaths"];
const OF_SOURCE = ["requestPrincipals", "notRequestPrincipals"];
const TCP = /^(tcp|tls|mongo|redis|mysql)(-|$)/i;

export const httpOnTcp: Analyzer = {
  name: "hauberk.HttpOnTcpAnalyzer",
  about: "rules with fields of HTTP for TCP ports",
  once: true,
  *analyze(mesh) {
    if (!mesh.of("Service").some(hasTcpPort)) return;
    for (const policy of mesh.of("AuthorizationPolicy")) {
      const effect = effectOf(actionOf(policy));
      if (effect === undefined) continue;
      for (const rule of rulesOf(policy)) {
        const field = httpFieldIn(rule);
        if (field === undefined) continue;
        for (const pod of podsOf(policy, mesh)) {
          if (isGateway(pod)) continue;
          const ports = tcpPortsOf(pod, mesh).filter((port) => isMeant(rule, port));
          if (ports.length === 0) continue;
          const where = `${ports.length === 1 ? "port" : "ports"} ${ports.join(", ")}`;
          const values = [`#${rule.index}`, field, where, `${pod.namespace}/${pod.name}`, effect];
          yield finding(policy, "HBK0001", values, rule.at);
        }
      }
    }
  },
};

function effectOf(action: string): string | undefined {
  if (action === "ALLOW") return "the rule allows nothing there";
  if (action === "DENY") return "there the rule denies whatever the rest of it matches";
  return undefined;
}

function httpFieldIn({ sources, operations, conditions }: WrittenRule): string | undefined {
  const ofOperations = operations.flatMap((one) =>
    OF_OPERATION.filter((name) => one.at(name).exists),
  );
  const ofSources = sources.flatMap((one) => OF_SOURCE.filter((name) => one.at(name).exists));
  const keys = conditions
    .map((one) => one.at("key").text)
    .filter((key) => key.startsWith("request."));
  return [...ofOperations, ...ofSources, ...keys][0];
}

function isMeant({ operations }: WrittenRule, port: number): boolean {
  const named = operations.map((one) => one.at("ports").texts);
  return (
    operations.length === 0 ||
    named.some((ports) => ports.length === 0 || ports.includes(String(port)))
  );
}

/** Its protocols are those of its Gateways' servers, whatever a Service calls its ports. */
function isGateway({ spec }: AnalyzedPod): boolean {
  const containers = spec.at("containers").items;
  return containers.length > 0 && containers.every((one) => one.at("name").text === "istio-proxy");
}

/** Container ports behind Services that call them TCP. */
function tcpPortsOf(pod: AnalyzedPod, mesh: AnalyzedMesh): readonly number[] {
  return mesh
    .of("Service")
    .filter((service) => {
      const { namespace, spec } = service;
      if (!hasTcpPort(service)) return false;
      const selector = spec.at("selector");
      return (
        namespace === pod.namespace && selector.size > 0 && selects(selector.labels, pod.labels)
      );
    })
    .flatMap(({ spec }) => spec.at("ports").items)
    .filter(isTcp)
    .map((port) => port.at("targetPort").number ?? port.at("port").number ?? 0);
}

function hasTcpPort({ spec }: AnalyzedObject): boolean {
  return spec.at("ports").items.some(isTcp);
}

function isTcp(port: Field): boolean {
  return TCP.test(port.at("appProtocol").text || port.at("name").text);
}
