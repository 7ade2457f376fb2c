/** Gateways whose certificates are not there, or not valid. Source: `ValidateCertificate` of istio/istio. */
import { readCertificates } from "../../identity/read-certificates.ts";
import { selectorText, selects } from "../analyzed-mesh.ts";
import type { AnalyzedObject } from "../analyzed-object.ts";
import { type Analyzer, finding } from "../finding.ts";

export const gatewaySecrets: Analyzer = {
  name: "gateway.SecretAnalyzer",
  about: "Gateways whose Secret does not exist, or holds no certificate that is valid now",
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
        else if (!holdsCertificate(secret, mesh.now))
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

/** Whether there is a certificate that is valid now, and a key; whom it is for is the gateway's to judge. */
function holdsCertificate({ root }: AnalyzedObject, now: Date): boolean {
  const read = (key: string): string => {
    const plain = root.at("stringData", key).text;
    return plain === "" ? decoded(root.at("data", key).text) : plain;
  };
  const found = PAIRS.find(([certificate, key]) => read(certificate) !== "" && read(key) !== "");
  return found !== undefined && isValid(read(found[0]), now);
}

/** @param pem of which the first block counts: what follows are the certificates of authorities */
function isValid(pem: string, now: Date): boolean {
  const [first = ""] = /-----BEGIN [\s\S]+?-----END [^-]+-----/.exec(pem) ?? [];
  try {
    return readCertificates(first).every(
      ({ certificate: { validFrom, validTo } }) =>
        now.getTime() >= Date.parse(validFrom) && now.getTime() <= Date.parse(validTo),
    );
  } catch {
    return false;
  }
}

function decoded(text: string): string {
  return Buffer.from(text, "base64").toString("utf8");
}
