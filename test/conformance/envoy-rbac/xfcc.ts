/** What becomes of `x-forwarded-client-cert`, by the mode, the connection and what came (OBS-30..OBS-33). */
import {
  CLIENT_CERT_DETAILS,
  type ClientCertDetail,
  FORWARD_CLIENT_CERT_MODES,
} from "../../../src/api/proxy-headers.ts";
import {
  type CertificateFacts,
  certificateElement,
  forwardedClientCert,
} from "../../../src/proxy/forwarded-client-cert.ts";
import { type ConformanceCase, compare, type TableRunner } from "../suite-runner.ts";
import { table } from "../table-runner.ts";

type ForwardingCase = ConformanceCase & {
  readonly forwardClientCertDetails: string;
  readonly connection: DescribedConnection;
  readonly setCurrentClientCertDetails?: readonly string[];
  readonly incoming?: string | null;
  /** Null: no such header. */
  readonly expected: string | null;
};

interface DescribedConnection {
  /** A certificate of the client's comes with `mtls` alone. */
  readonly tls: string;
  readonly localUriSan?: string | null;
  readonly peerUriSan?: string | null;
  readonly localUriSans?: readonly string[];
  readonly peerUriSans?: readonly string[];
  readonly peerDnsSans?: readonly string[];
  readonly peerCertSha256?: string;
  readonly peerSubject?: string;
  readonly peerCertPemUrlEncoded?: string;
  readonly peerCertChainPemUrlEncoded?: string;
}

const UNDERSTOOD: ReadonlySet<string> = new Set([
  "tls",
  "localUriSan",
  "peerUriSan",
  "localUriSans",
  "peerUriSans",
  "peerDnsSans",
  "peerCertSha256",
  "peerSubject",
  "peerCertPemUrlEncoded",
  "peerCertChainPemUrlEncoded",
] satisfies (keyof DescribedConnection)[]);

export const xfcc: TableRunner = table<ForwardingCase>({
  fields: [
    "forwardClientCertDetails",
    "connection",
    "setCurrentClientCertDetails",
    "incoming",
    "expected",
  ],
  run({ forwardClientCertDetails, connection, setCurrentClientCertDetails, incoming, expected }) {
    const mode = FORWARD_CLIENT_CERT_MODES.find((known) => known === forwardClientCertDetails);
    const details = (setCurrentClientCertDetails ?? []).map(detailOf);
    const strange = Object.keys(connection).filter((field) => !UNDERSTOOD.has(field));
    if (mode === undefined || details.includes(undefined) || strange.length > 0) {
      return { outcome: "skipped", reason: `not understood: ${strange.join(", ")}` };
    }
    const asked = details.flatMap((detail) => detail ?? []);
    const ours =
      connection.tls === "mtls" ? certificateElement(factsOf(connection), asked) : undefined;
    const got = forwardedClientCert(mode, incoming ?? undefined, ours);
    return compare({ expected: told(expected), got: told(got ?? null) });
  },
});

function told(header: string | null): string {
  return header === null ? "no header" : `the header ${header}`;
}

function detailOf(name: string): ClientCertDetail | undefined {
  return CLIENT_CERT_DETAILS.find((known) => known === name.toLowerCase());
}

function factsOf(connection: DescribedConnection): CertificateFacts {
  const { localUriSan, peerUriSan, localUriSans, peerUriSans } = connection;
  return {
    ownUris: localUriSans ?? listed(localUriSan),
    uris: peerUriSans ?? listed(peerUriSan),
    hash: connection.peerCertSha256 ?? "",
    subject: () => connection.peerSubject ?? "",
    dnsNames: () => connection.peerDnsSans ?? [],
    cert: () => connection.peerCertPemUrlEncoded ?? "",
    chain: () => connection.peerCertChainPemUrlEncoded ?? "",
  };
}

function listed(one: string | null | undefined): readonly string[] {
  return one ? [one] : [];
}
