/** TLS as clients originate it, and as gateways and sidecars terminate it. */
import { CERTIFICATES_OR_CREDENTIALS, ONE_OR_MORE_CREDENTIALS } from "../network-rules.ts";
import { choice, flag, list, type ObjectSchema, object, text } from "../schema.ts";

export const clientTls: ObjectSchema = object({
  caCertificates: text(),
  caCrl: text(),
  clientCertificate: text(),
  credentialName: text(),
  insecureSkipVerify: flag({ nullable: true }),
  mode: choice(["DISABLE", "SIMPLE", "MUTUAL", "ISTIO_MUTUAL"]),
  privateKey: text(),
  sni: text(),
  subjectAltNames: list(text()),
});

export const serverTls: ObjectSchema = object(
  {
    caCertCredentialName: text(),
    caCertificates: text(),
    caCrl: text(),
    cipherSuites: list(text()),
    credentialName: text(),
    credentialNames: list(text(), { minItems: 1, maxItems: 2 }),
    ecdhCurves: list(text()),
    httpsRedirect: flag(),
    insecureSkipVerify: flag({ nullable: true }),
    maxProtocolVersion: choice(["TLS_AUTO", "TLSV1_0", "TLSV1_1", "TLSV1_2", "TLSV1_3"]),
    minProtocolVersion: choice(["TLS_AUTO", "TLSV1_0", "TLSV1_1", "TLSV1_2", "TLSV1_3"]),
    mode: choice([
      "PASSTHROUGH",
      "SIMPLE",
      "MUTUAL",
      "AUTO_PASSTHROUGH",
      "ISTIO_MUTUAL",
      "OPTIONAL_MUTUAL",
    ]),
    privateKey: text(),
    serverCertificate: text(),
    subjectAltNames: list(text()),
    tlsCertificates: list(
      object({ caCertificates: text(), privateKey: text(), serverCertificate: text() }),
      { minItems: 1, maxItems: 2 },
    ),
    verifyCertificateHash: list(text()),
    verifyCertificateSpki: list(text()),
  },
  { rules: [CERTIFICATES_OR_CREDENTIALS, ONE_OR_MORE_CREDENTIALS] },
);
