/** Gateways of the same pods that present one certificate: clients reuse one connection for both. */
import { selects } from "../analyzed-mesh.ts";
import type { Field } from "../field.ts";
import { type Analyzer, finding } from "../finding.ts";

export const gatewayCertificates: Analyzer = {
  name: "gateway.CertificateAnalyzer",
  about: "Gateways of the same pods that present one certificate",
  once: true,
  *analyze(mesh) {
    const gateways = mesh.of("Gateway");
    for (const gateway of gateways) {
      const selector = gateway.spec.at("selector").labels;
      const others = gateways.filter(
        (other) => other !== gateway && selects(selector, other.spec.at("selector").labels),
      );
      for (const other of others) {
        const names = [gateway, other].map(({ namespace, name }) => `${namespace}/${name}`);
        for (const tls of tlsOf(gateway.spec))
          for (const same of tlsOf(other.spec))
            if (haveOneCertificate(tls, same)) yield finding(gateway, "IST0138", [names], tls);
      }
    }
  },
};

function tlsOf(spec: Field): readonly Field[] {
  return spec
    .at("servers")
    .items.map((server) => server.at("tls"))
    .filter((tls) => tls.exists);
}

function haveOneCertificate(one: Field, other: Field): boolean {
  const names = [one, other].map((tls) => tls.at("credentialName").text);
  const [name = "", otherName = ""] = names;
  if (name !== "" && otherName !== "") return name === otherName;
  if (name !== otherName) return false;
  return ["serverCertificate", "privateKey"].every((field) => {
    const file = one.at(field).text;
    return file !== "" && file === other.at(field).text;
  });
}
