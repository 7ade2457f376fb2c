/** DestinationRules that begin TLS without saying who may answer. */
import type { AnalyzedObject } from "../analyzed-object.ts";
import type { Field } from "../field.ts";
import { type Analyzer, finding } from "../finding.ts";

export const destinationRuleAuthorities: Analyzer = {
  name: "destinationrule.CaCertificateAnalyzer",
  about: "DestinationRules whose TLS verifies no server",
  *analyze(mesh) {
    for (const rule of mesh.of("DestinationRule")) {
      const policy = rule.spec.at("trafficPolicy");
      const told = (tls: Field): readonly string[] => [
        `${rule.namespace}/${rule.name}`,
        rule.namespace,
        tls.at("mode").text,
        rule.spec.at("host").text,
      ];
      const tls = policy.at("tls");
      if (verifiesNobody(rule, tls)) yield finding(rule, "IST0128", told(tls), tls);
      for (const port of policy.at("portLevelSettings").items) {
        const ofPort = port.at("tls");
        const number = port.at("port", "number").text;
        if (verifiesNobody(rule, ofPort))
          yield finding(rule, "IST0129", [...told(ofPort), number], ofPort);
      }
    }
  },
};

function verifiesNobody({ spec }: AnalyzedObject, tls: Field): boolean {
  if (!["SIMPLE", "MUTUAL"].includes(tls.at("mode").text)) return false;
  const isNamed = tls.at("credentialName").text !== "" && spec.at("workloadSelector").exists;
  return tls.at("caCertificates").text === "" && !isNamed;
}
