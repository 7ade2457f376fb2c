/** Reads a view as it came over the wire. */
import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import {
  AUTHORIZATION_ACTIONS,
  OPERATION_FIELDS,
  SOURCE_FIELDS,
} from "../api/authorization-policy.ts";
import { PATH_NORMALIZATIONS } from "../api/mesh-settings.ts";
import { CLIENT_CERT_DETAILS, FORWARD_CLIENT_CERT_MODES } from "../api/proxy-headers.ts";
import { TOKEN_PRESENCES } from "../api/request-authentication.ts";
import { parseSpiffeId } from "../identity/spiffe-id.ts";
import {
  type DestinationSubset,
  WORKLOAD_VIEW_FORMAT,
  type WorkloadView,
} from "../policy/workload-view.ts";
import type { PackedView } from "../wire/workload-view-message.ts";
import { networkAdmission } from "./decode-admission.ts";
import { appliedAuthorizer } from "./decode-authorizers.ts";
import { gatewayTopology, gatewayView } from "./decode-gateway.ts";
import { appliedRateLimit } from "./decode-rate-limits.ts";
import { streamRoute, virtualHost } from "./decode-routes.ts";
import { serviceEntryTerms, tlsOrigination } from "./decode-service-entry.ts";
import { effectiveTelemetry } from "./decode-telemetry.ts";
import { appliedTrafficPolicy } from "./decode-traffic-policy.ts";
import {
  choice,
  type Decoder,
  flag,
  InvalidWorkloadViewError,
  integer,
  list,
  mapOfTexts,
  object,
  objectWith,
  parsed,
  readOnce,
  section,
  text,
  textsByField,
  trueOnly,
  unexpected,
} from "./view-fields.ts";

/** @throws InvalidWorkloadViewError naming the first field that is wrong */
export function decodeWorkloadView({ format, json }: PackedView): WorkloadView {
  if (format !== WORKLOAD_VIEW_FORMAT)
    throw new InvalidWorkloadViewError(
      `the view has format ${format}; only ${WORKLOAD_VIEW_FORMAT} is understood`,
    );
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw new InvalidWorkloadViewError("the view is not JSON", { cause });
  }
  return readWorkloadView(value);
}

/** @throws InvalidWorkloadViewError naming the first field that is wrong */
export function readWorkloadView(value: unknown): WorkloadView {
  return workloadView(value, "view");
}

function certificate(pem: string): string {
  if (!new X509Certificate(pem).ca) throw new InvalidWorkloadViewError("it is no CA's certificate");
  return pem;
}

function ipAddress(value: string): string {
  if (isIP(value) === 0) throw new InvalidWorkloadViewError("it is no IP address");
  return value;
}

const portNumber = integer(1, 65_535);
const protocol = choice(["http", "http2", "tcp", "auto"]);
const identity = parsed(parseSpiffeId, "a SPIFFE ID");
const ipText = parsed(ipAddress, "an IP address");
const address = object({ address: ipText, port: portNumber });
const reference = object({ kind: text, namespace: text, name: text });
const location = object({ file: text, line: integer(0, Number.MAX_SAFE_INTEGER) });
const originOfResource = object({ ref: reference, source: location });

const mutualTls = object({
  mode: choice(["DISABLE", "PERMISSIVE", "STRICT"]),
  origin: (value: unknown, path: string) =>
    value === "default" ? ("default" as const) : originOfResource(value, path),
});

const authorizationRule = object({
  line: integer(0, Number.MAX_SAFE_INTEGER),
  from: list(textsByField(SOURCE_FIELDS)),
  to: list(textsByField(OPERATION_FIELDS)),
  when: list(object({ key: text, values: list(text), notValues: list(text) })),
});

const policy = readOnce(
  objectWith(
    {
      ref: reference,
      source: location,
      action: choice(AUTHORIZATION_ACTIONS),
      rules: list(authorizationRule),
    },
    { provider: text, dryRun: trueOnly },
  ),
);

const rateLimit = appliedRateLimit({ ref: reference, source: location }, authorizationRule);

const refusal = object({ direction: choice(["egress", "ingress"]), policies: list(reference) });

const endpoint = objectWith(
  { workload: text, address, mutualTls: flag },
  { podAddresses: list(ipText), hostname: text, refusedBy: refusal },
);

const writtenDestination = objectWith(
  {
    serviceNamespace: text,
    serviceName: text,
    host: text,
    servicePort: portNumber,
    protocol,
    identities: list(identity),
    serverName: text,
    endpoints: list(endpoint),
  },
  {
    listen: address,
    addresses: list(ipText),
    headless: trueOnly,
    serviceEntry: serviceEntryTerms(originOfResource),
    clientTls: object({
      mode: choice(["DISABLE", "SIMPLE", "MUTUAL", "ISTIO_MUTUAL"]),
      origin: originOfResource,
    }),
    tlsOrigination,
    trafficPolicy: appliedTrafficPolicy(originOfResource),
  },
);

/** TLS-39: one that is called by TLS of others, and does not say how, must not be taken for one in plaintext. */
const destination: typeof writtenDestination = (value, path) => {
  const decoded = writtenDestination(value, path);
  const mode = decoded.clientTls?.mode;
  const isOriginated = mode === "SIMPLE" || mode === "MUTUAL";
  if (isOriginated !== (decoded.tlsOrigination !== undefined))
    throw unexpected(`${path}.tlsOrigination`, "there exactly in mode SIMPLE or MUTUAL");
  return decoded;
};

const tokenRule = objectWith(
  {
    ref: reference,
    source: location,
    issuer: text,
    audiences: list(text),
    locations: object({
      headers: list(object({ name: text, prefix: text })),
      params: list(text),
      cookies: list(text),
    }),
    presence: choice(TOKEN_PRESENCES),
    afterwards: choice(["removed", "forwarded"]),
    outputClaimToHeaders: list(object({ header: text, claim: text })),
    spaceDelimitedClaims: list(text),
  },
  { jwks: text, outputPayloadToHeader: text },
);

const inboundPort = objectWith(
  { containerPort: portNumber, protocol, mutualTls, listen: address, application: address },
  { admission: networkAdmission },
);

const interception = object({
  undeclaredPorts: object({
    mutualTls,
    ports: list(object({ containerPort: portNumber, mutualTls })),
  }),
  unknownDestinations: choice(["ALLOW_ANY", "REGISTRY_ONLY"]),
});

const destinationSubset: Decoder<DestinationSubset> = (value, path) => {
  const { subset, ...whole } = section(value, path);
  return { ...destination(whole, path), subset: text(subset, `${path}.subset`) };
};

const workloadView: Decoder<WorkloadView> = objectWith(
  {
    workload: object({
      namespace: text,
      name: text,
      owner: text,
      labels: mapOfTexts,
      serviceAccount: text,
      identity,
    }),
    trust: readOnce(
      objectWith(
        {
          trustDomain: text,
          trustDomainAliases: list(text),
          rootsPem: list(parsed(certificate, "a root certificate")),
          minimumTlsVersion: choice(["TLSv1.2", "TLSv1.3"]),
        },
        { taintedAuthorities: list(text), crlsPem: list(text) },
      ),
    ),
    inbound: objectWith(
      {
        ports: list(inboundPort),
        authorization: readOnce(
          object({
            custom: list(policy),
            audit: list(policy),
            deny: list(policy),
            allow: list(policy),
          }),
        ),
        pathNormalization: choice(PATH_NORMALIZATIONS),
      },
      {
        authorizers: list(appliedAuthorizer),
        rateLimits: list(rateLimit),
        tokenRules: list(tokenRule),
      },
    ),
    outbound: readOnce(
      objectWith(
        { destinations: list(destination) },
        {
          httpProxy: address,
          subsets: list(destinationSubset),
          virtualHosts: list(virtualHost),
          streamRoutes: list(streamRoute),
        },
      ),
    ),
  },
  {
    gateway: gatewayView,
    gatewayTopology,
    interception,
    telemetry: effectiveTelemetry,
    proxyHeaders: object({
      forwardedClientCert: choice(FORWARD_CLIENT_CERT_MODES),
      clientCertDetails: list(choice(CLIENT_CERT_DETAILS)),
      requestId: choice(["generated", "as received"]),
    }),
  },
);
