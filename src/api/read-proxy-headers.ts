/** Reads `proxyHeaders` of a ProxyConfig: of the mesh's `defaultConfig`, or of a pod's annotation. */
import type { Fields } from "./decoder.ts";
import {
  CLIENT_CERT_DETAILS,
  type ClientCertDetail,
  DEFAULT_PROXY_HEADERS,
  FORWARD_CLIENT_CERT_MODES,
  type WrittenProxyHeaders,
} from "./proxy-headers.ts";
import { flagIn, textIn } from "./webhook/written-values.ts";

/** Sidecars tell nothing of themselves in headers, and leave names as they are written: nothing is to be switched off. */
const WITHOUT_EFFECT = [
  "server",
  "attemptCount",
  "envoyDebugHeaders",
  "metadataExchangeHeaders",
  "preserveHttp1HeaderCase",
  "xForwardedHost",
  "xForwardedPort",
];

/** @param headers whose structure is known to be good */
export function readProxyHeaders(headers: Fields): WrittenProxyHeaders {
  headers.unused(WITHOUT_EFFECT);
  const written = textIn(headers, "forwardedClientCert");
  const forwardedClientCert = FORWARD_CLIENT_CERT_MODES.find((mode) => mode === written);
  return {
    ...(forwardedClientCert && { forwardedClientCert }),
    ...(headers.has("setCurrentClientCertDetails") && {
      clientCertDetails: detailsIn(headers.section("setCurrentClientCertDetails")),
    }),
    ...(headers.has("requestId") && {
      requestId: flagIn(headers.section("requestId"), "disabled") ? "as received" : "generated",
    }),
  };
}

/** One that is not mentioned is as by default. */
function detailsIn(details: Fields): readonly ClientCertDetail[] {
  const byDefault = DEFAULT_PROXY_HEADERS.clientCertDetails;
  return CLIENT_CERT_DETAILS.filter((detail) =>
    details.has(detail) ? flagIn(details, detail) : byDefault.includes(detail),
  );
}
