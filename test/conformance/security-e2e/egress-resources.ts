/** What upstream's test of an egress case sets up by its code, beside the resources that the case gives as files. */
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readJson } from "../networkpolicy.ts";
import type { E2eCase } from "./e2e-case.ts";
import { NotUnderstood } from "./not-understood.ts";
import { items, type RenderedPolicy, section } from "./rendered-policies.ts";
import type { Topology } from "./topology.ts";

const GATEWAY_NAMESPACE = "istio-system";
const GATEWAY_HOST = `istio-egressgateway.${GATEWAY_NAMESPACE}.svc.cluster.local`;
/** Where upstream's pods have certificates of their own mounted. */
const MOUNTED = "/etc/certs/custom";
const DNS_CERTIFICATES = "tests/testdata/certs/dns";

type Certificates = Readonly<Record<string, string>>;

interface AddedObject extends RenderedPolicy {
  readonly [field: string]: unknown;
}

/** By upstream's path. */
export function upstreamCertificates(folder: string): Certificates {
  const file = join(folder, "fixtures/upstream-certs.json");
  return readJson<{ readonly files: Certificates }>(file).files;
}

/** Whether a case is about TLS with certificates of the user's own, or an egress gateway. */
export function isAboutEgress({ to, setup = {} }: E2eCase): boolean {
  return to.via === "egress-gateway" || ORIGINATION.some((field) => setup[field] !== undefined);
}

const ORIGINATION = ["secret", "clientSecret", "serverTls", "destinationRuleTlsMode"];

/** @throws NotUnderstood */
export function addedResources(test: E2eCase, folder: string): readonly AddedObject[] {
  const { setup = {} } = test;
  const certificates = upstreamCertificates(folder);
  const ofGateway = Object.entries(section(setup, "secretsInGatewayNamespace"));
  const own = section(setup, "secret");
  return [
    ...ofGateway.map(([name, parts]) =>
      secretOf({ name, namespace: GATEWAY_NAMESPACE, parts, certificates }),
    ),
    ...(setup["secret"] === undefined
      ? []
      : [
          secretOf({
            name: String(own["name"]),
            namespace: String(own["ns"]),
            parts: own,
            certificates,
          }),
        ]),
    ...(setup["serviceAccountMayListSecrets"] === true ? secretReader(test) : []),
    ...(setup["clientSecret"] === undefined ? [] : [mutualRule(test)]),
    ...(setup["destinationRuleTlsMode"] === undefined ? [] : throughGateway(test)),
  ].filter((object) => object !== undefined);
}

/** Upstream's server outside has ports that its others have not: a case names the one that it means. */
export function withDestinationPort(topology: Topology, test: E2eCase): Topology {
  const { ns, workload } = test.to;
  const wanted = items(test, "policies").flatMap((policy) => {
    const port = Number(section(policy, "params")["DestinationPort"]);
    return Number.isInteger(port) ? [port] : [];
  });
  const services = topology.services.map((service) => {
    if (service.namespace !== ns || service.name !== workload) return service;
    const missing = [...new Set(wanted)].filter(
      (port) => !service.ports.some(({ servicePort }) => servicePort === port),
    );
    const added = missing.map((port) => ({
      name: `https-${port}`,
      servicePort: port,
      workloadPort: port,
      protocol: "HTTPS",
    }));
    return { ...service, ports: [...service.ports, ...added] };
  });
  return { ...topology, services };
}

/** What was not created says so instead of its parts. */
function secretOf({
  name,
  namespace,
  parts,
  certificates,
}: {
  readonly name: string;
  readonly namespace: string;
  readonly parts: unknown;
  readonly certificates: Certificates;
}): AddedObject | undefined {
  if (typeof parts === "string") return undefined;
  const { note, cert, key, cacert, crl } = section(parts);
  const isTls = /tls\.crt/.test(String(note));
  const values = isTls
    ? { "tls.crt": cert, "tls.key": key, "ca.crt": cacert, "ca.crl": crl }
    : { cert, key, cacert, crl };
  const stringData = Object.fromEntries(
    Object.entries(values).flatMap(([part, path]) =>
      path === undefined ? [] : [[part, certificateAt(String(path), certificates)]],
    ),
  );
  return { apiVersion: "v1", kind: "Secret", metadata: { name, namespace }, stringData };
}

function certificateAt(path: string, certificates: Certificates): string {
  const found = certificates[path];
  if (found === undefined) throw new NotUnderstood(`certificate ${path}`);
  return found;
}

/** As `kubectl create role --verb=list --resource=secret` and its binding. */
function secretReader({ from: { ns, sa, workload } }: E2eCase): readonly AddedObject[] {
  const apiVersion = "rbac.authorization.k8s.io/v1";
  const metadata = { name: "secret-reader", namespace: ns };
  const subject = { kind: "ServiceAccount", name: sa ?? workload, namespace: ns };
  return [
    {
      apiVersion,
      kind: "Role",
      metadata,
      rules: [{ apiGroups: [""], resources: ["secrets"], verbs: ["list"] }],
    },
    {
      apiVersion,
      kind: "RoleBinding",
      metadata,
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "secret-reader" },
      subjects: [subject],
    },
  ];
}

/** Of a client with mounted certificates. */
function mutualRule({ from, to }: E2eCase): AddedObject {
  const tls = {
    mode: "MUTUAL",
    clientCertificate: `${MOUNTED}/cert-chain.pem`,
    privateKey: `${MOUNTED}/key.pem`,
    caCertificates: `${MOUNTED}/root-cert.pem`,
    sni: to.workload,
  };
  return networking(
    "DestinationRule",
    { name: "mutual", namespace: from.ns },
    {
      host: `${to.workload}.${to.ns}.svc.cluster.local`,
      trafficPolicy: { tls },
    },
  );
}

/** The gateway, the routes to it and from it, and how it calls the server. */
function throughGateway({ from, to, setup = {} }: E2eCase): readonly AddedObject[] {
  const host = `${to.workload}.${to.ns}.svc.cluster.local`;
  const named = (name: string) => ({ name, namespace: from.ns });
  const root = setup["fakeRootCertOnGateway"] === true ? "fake-root-cert.pem" : "root-cert.pem";
  const mode = String(setup["destinationRuleTlsMode"]);
  const tls =
    mode === "SIMPLE" ? { mode, caCertificates: `${MOUNTED}/${root}`, sni: host } : { mode };
  const port = { number: 443 };
  return [
    networking("Gateway", named("egress"), {
      selector: { istio: "egressgateway" },
      servers: [
        {
          port: { number: 443, name: "https", protocol: "HTTPS" },
          hosts: [host],
          tls: { mode: "ISTIO_MUTUAL" },
        },
      ],
    }),
    networking("DestinationRule", named("to-gateway"), {
      host: GATEWAY_HOST,
      subsets: [
        {
          name: "server",
          trafficPolicy: {
            portLevelSettings: [{ port, tls: { mode: "ISTIO_MUTUAL", sni: host } }],
          },
        },
      ],
    }),
    networking("VirtualService", named("through-gateway"), {
      hosts: [host],
      gateways: ["egress", "mesh"],
      http: [
        {
          match: [{ gateways: ["mesh"], port: 80 }],
          route: [{ destination: { host: GATEWAY_HOST, subset: "server", port } }],
        },
        {
          match: [{ gateways: ["egress"], port: 443 }],
          route: [{ destination: { host, port } }],
          headers: { request: { add: { "handled-by-egress-gateway": "true" } } },
        },
      ],
    }),
    networking(
      "DestinationRule",
      { name: "originate", namespace: GATEWAY_NAMESPACE },
      {
        host,
        trafficPolicy: { portLevelSettings: [{ port, tls }] },
      },
    ),
  ];
}

function networking(
  kind: string,
  metadata: RenderedPolicy["metadata"],
  spec: Readonly<Record<string, unknown>>,
): AddedObject {
  return { apiVersion: "networking.istio.io/v1", kind, metadata, spec };
}

/** The certificates that a pod has mounted, in a folder of the machine. */
export async function mountCertificates(folder: string): Promise<string> {
  const mounted = await mkdtemp(join(tmpdir(), "hauberk-mounted-"));
  await writeCertificates(mounted, upstreamCertificates(folder), "");
  return mounted;
}

/** @param prefix of the set that is meant, before the names of its files */
async function writeCertificates(
  mounted: string,
  certificates: Certificates,
  prefix: string,
): Promise<void> {
  const files = ["cert-chain.pem", "key.pem", "root-cert.pem", "fake-root-cert.pem"];
  for (const file of files) {
    const text = certificates[`${DNS_CERTIFICATES}/${prefix}${file}`];
    if (text !== undefined) await writeFile(join(mounted, file), text);
  }
}

/** Resources whose paths lie in that folder. */
export function withMounted<T>(resources: T, mounted: string): T {
  return JSON.parse(JSON.stringify(resources).replaceAll(MOUNTED, mounted));
}
