/** Attempts at what the mesh keeps to itself: keys and memory, the data directory, certificates of others. Pure. */
import { join } from "node:path";
import { createCertificateRequest } from "../../identity/certificate-request.ts";
import { ROUTER_ADDRESSES, ROUTER_PORTS } from "../../local/network/mesh-ranges.ts";
import type { AttackAims } from "./attack-aims.ts";
import type { Attempt } from "./attack-attempt.ts";

export const API_ID = "spiffe://cluster.local/ns/production/sa/api";
const OWN_TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount/token";
const ISSUE = "/istio.v1.auth.IstioCertificateService/CreateCertificate";
const DISCOVER = "/hauberk.discovery.v1.ViewDiscovery/WatchViews";
const ISSUED = /BEGIN CERTIFICATE/;

const python = (what: string, aim: Attempt["aim"]): Attempt => ({
  what,
  technique: "python",
  aim,
});
const read = (what: string, paths: readonly string[]): Attempt => ({
  what,
  technique: "read",
  aim: { paths },
});
const shell = (what: string, script: string): Attempt => ({
  what,
  technique: "run",
  aim: { command: ["sh", "-c", script] },
  proof: /\S/,
});

export function keyAttempts({ processIds, secrets }: AttackAims): readonly Attempt[] {
  const of = (entry: string): readonly string[] => processIds.map((id) => `/proc/${id}/${entry}`);
  const seen = (entry: string): readonly string[] => secrets.map((path) => `${entry}${path}`);
  return [
    read("api's token", secrets),
    {
      what: "files, through the roots of all processes",
      technique: "searchProcesses",
      aim: { processIds, entries: seen("root") },
    },
    read("environments of the mesh's processes", of("environ")),
    read("their descriptors", of("fd")),
    read("their memory", of("mem")),
    python("their memory, by system call", { call: "read_memory", process_ids: processIds }),
    python("tracing them", { call: "trace", process_ids: processIds }),
    python("signals to them", { call: "signal", process_ids: processIds }),
    python("taking their descriptors", { call: "take_descriptors", process_ids: processIds }),
    {
      what: "a sidecar among the processes it sees",
      technique: "searchProcesses",
      aim: { processIds, entries: ["cmdline"], needle: "main.js\u0000sidecar" },
    },
    python("keys of the user's session", { call: "open_keyring" }),
  ];
}

export function dataAttempts(aims: AttackAims): readonly Attempt[] {
  const { dataDirectory, secrets, meshSocket, processIds } = aims;
  const state = join(dataDirectory, "mesh.json");
  return [
    read("its files and folders", secrets),
    read("by way of a working directory", [
      ...["self", 1, ...processIds].map((id) => `/proc/${id}/cwd/${state}`),
      ...["self", 1, ...processIds].map((id) => `/proc/${id}/cwd/../mesh.json`),
    ]),
    shell(
      "a symbolic link",
      `ln -sfn '${dataDirectory}' "$TMPDIR/link" && cat "$TMPDIR/link/mesh.json"`,
    ),
    shell("a hard link", `ln -f '${state}' "$TMPDIR/state" && cat "$TMPDIR/state"`),
    {
      what: "descriptors that were left open",
      technique: "findDescriptors",
      aim: { processIds: ["self", 1], own: "^/dev/|^/proc/|/compromised\\.log$" },
    },
    {
      what: "the supervisor's socket",
      technique: "sayToSockets",
      aim: { paths: [meshSocket], text: '{"type":"status"}\n' },
    },
    { what: "writing into it", technique: "write", aim: { folders: [dataDirectory, ...secrets] } },
    shell("taking its cover off", `umount -l '${dataDirectory}' && cat '${state}'`),
    shell(
      "taking its cover off, as root of namespaces of its own",
      `unshare -Urm sh -c "umount -l '${dataDirectory}'; cat '${state}'"`,
    ),
    shell(
      "a second view of the root, in namespaces of its own",
      `mkdir -p "$TMPDIR/view" && unshare -Urm sh -c "mount --rbind / $TMPDIR/view && cat '$TMPDIR/view${state}'"`,
    ),
  ];
}

export function credentialAttempts(): readonly Attempt[] {
  const { ipv4: host } = ROUTER_ADDRESSES;
  const address = `${host}:${ROUTER_PORTS.controlPlane}`;
  const body = certificateRequestMessage(API_ID);
  const ask = (what: string, aim: Attempt["aim"]): Attempt => ({
    what,
    technique: "askControlPlane",
    aim: { address, path: ISSUE, body, ...aim },
    proof: ISSUED,
  });
  const http = "GET / HTTP/1.1\r\nhost: istiod\r\n\r\n";
  return [
    ask("a certificate as api, without a token", {}),
    ask("the same with its own token, which is for others", { tokenFile: OWN_TOKEN }),
    ask("the same with a token that nobody signed", { token: tokenOf({ alg: "none" }, "") }),
    ask("the same with a token of a false signature", {
      token: tokenOf({ alg: "ES256" }, Buffer.alloc(64, 1).toString("base64url")),
    }),
    { ...ask("api's view, without a certificate", { path: DISCOVER, body: "" }), proof: /^/ },
    {
      what: "the control plane, without TLS",
      technique: "say",
      aim: { host, port: ROUTER_PORTS.controlPlane, text: http },
      proof: /HTTP/,
    },
    {
      what: "the control plane, over HTTP/1.1",
      technique: "sayInTls",
      aim: { host, port: ROUTER_PORTS.controlPlane, text: http },
      proof: /HTTP/,
    },
  ];
}

/**
 * The message that asks for a certificate, in base64: its field 1 is the request's PEM, all there is.
 *
 * @param uris names to ask for
 */
export function certificateRequestMessage(...uris: readonly string[]): string {
  const { csrPem } = createCertificateRequest({ uris });
  const length = Buffer.byteLength(csrPem);
  const head = Buffer.from([0x0a, (length & 0x7f) | 0x80, length >> 7]);
  return Buffer.concat([head, Buffer.from(csrPem)]).toString("base64");
}

/** A service account token as api has it, but for who signed it. */
function tokenOf(header: Readonly<Record<string, string>>, signature: string): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: "https://kubernetes.default.svc.cluster.local",
    sub: "system:serviceaccount:production:api",
    aud: ["istio-ca"],
    iat: now,
    exp: now + 3_000,
    "kubernetes.io": {
      namespace: "production",
      pod: { name: "api-0", uid: "00000000-0000-4000-8000-000000000000" },
      serviceaccount: { name: "api" },
    },
  };
  return `${part(header)}.${part(claims)}.${signature}`;
}
