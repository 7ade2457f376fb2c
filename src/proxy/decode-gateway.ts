/** Reads the part of a view that makes a pod a gateway. */
import {
  GATEWAY_TLS_MODES,
  type GatewayServer,
  type GatewayTls,
  type GatewayTraffic,
  type GatewayView,
} from "../policy/gateway-view.ts";
import { networkAdmission } from "./decode-admission.ts";
import { oneShape, resourceOrigin, streamRoute, virtualHost } from "./decode-routes.ts";
import { choice, type Decoder, integer, list, object, objectWith, text } from "./view-fields.ts";

const port = integer(1, 65_535);
const version = choice(["TLSv1.2", "TLSv1.3"]);

const demands = {
  subjectAltNames: list(text),
  certificateHashes: list(text),
  publicKeyHashes: list(text),
};

/** What is wrong with a certificate is told by the server that would show it: the others go on. */
const tls: Decoder<GatewayTls> = objectWith(
  {
    mode: choice(GATEWAY_TLS_MODES),
    certificates: list(object({ origin: resourceOrigin, chainPem: text, keyPem: text })),
    minVersion: version,
    maxVersion: version,
    cipherSuites: list(text),
    ecdhCurves: list(text),
  },
  {
    clientTrust: objectWith({ authoritiesPem: text, ...demands }, { crlPem: text }),
    callers: object(demands),
    problem: text,
  },
);

const traffic = oneShape<GatewayTraffic>("is", {
  http: object({ is: choice(["http"]), virtualHosts: list(virtualHost) }),
  stream: object({ is: choice(["stream"]), routes: list(streamRoute) }),
  "by-server-name": object({ is: choice(["by-server-name"]) }),
});

const server: Decoder<GatewayServer> = objectWith(
  { origins: list(resourceOrigin), serverNames: list(text), traffic },
  { tls },
);

export const gatewayView: Decoder<GatewayView> = object({
  listeners: list(
    objectWith(
      {
        port,
        containerPort: port,
        listen: object({ address: text, port }),
        servers: list(server),
      },
      { admission: networkAdmission },
    ),
  ),
});

export const gatewayTopology: Decoder<{ readonly trustedProxies: number }> = object({
  trustedProxies: integer(0, Number.MAX_SAFE_INTEGER),
});
