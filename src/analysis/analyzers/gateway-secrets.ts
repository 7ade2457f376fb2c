/** Gateways whose certificates are not there. */
import { selectorText, selects } from "../analyzed-mesh.ts";
import type { AnalyzedObject } from "../analyzed-object.ts";
import { type Analyzer, finding } from "../finding.ts";

export const gatewaySecrets: Analyzer = {
  name: "gateway.SecretAnalyzer",
  about: "Gateways whose Secret does not exist, or holds no certificate",
  *analyze(mesh) {
    for (const gateway of mesh.of("Gateway")) {
      const selector = gateway.spec.at("selector");
      const pod = mesh.pods.find(({ labels }) => selects(selector.labels, labels));
      if (pod === undefined) {
        yield finding(gateway, "IST0101", ["selector", selectorText(selector.labels)], selector);
        continue;
      }
      for (const server of gateway.spec.at("servers").items) {
        const named = server.at("tls", "credentialName");
        if (named.text === "") continue;
        const [namespace, name] = named.text.includes("/")
          ? named.text.split("/", 2)
          : [pod.namespace, named.text];
        const secret = mesh.find("Secret", namespace ?? "", name ?? "");
        if (secret === undefined)
          yield finding(gateway, "IST0101", ["credentialName", named.text], named);
        else if (!holdsCertificate(secret))
          yield finding(gateway, "IST0161", [gateway.name, pod.namespace], named);
      }
    }
  },
};

/** Names of the keys: of Kubernetes, and of Istio before them. */
const PAIRS = [
  ["tls.crt", "tls.key"],
  ["cert", "key"],
] as const;

/** Whether there is a certificate and a key; what they say is for the gateway to judge. */
function holdsCertificate({ root }: AnalyzedObject): boolean {
  const read = (key: string): string => {
    const plain = root.at("stringData", key).text;
    return plain === "" ? decoded(root.at("data", key).text) : plain;
  };
  return PAIRS.some(
    ([certificate, key]) =>
      /-----BEGIN CERTIFICATE-----/.test(read(certificate)) && read(key) !== "",
  );
}

function decoded(text: string): string {
  return Buffer.from(text, "base64").toString("utf8");
}
