/** The `x-forwarded-client-cert` header: tells an application who called it (OBS-30..OBS-36). */
import type { X509Certificate } from "node:crypto";
import type {
  ClientCertDetail,
  ForwardClientCertMode,
  ProxyHeaders,
} from "../api/proxy-headers.ts";
import type { SpiffeId } from "../identity/spiffe-id.ts";
import { distinguishedName } from "./distinguished-name.ts";
import type { Peer, PresentedCertificate } from "./peer.ts";

export const FORWARDED_CLIENT_CERT = "x-forwarded-client-cert";

/** Unquoted values hold nothing that separates; within quotes a backslash takes the next character with it. */
const PAIR = String.raw`(?:By|Hash|Cert|Chain|Subject|URI|DNS)=(?:[!#-+\--:<>-[\]-~]*|"(?:[^"\\]|\\.)*")`;
const ELEMENT = `${PAIR}(?:;${PAIR})*`;
const ELEMENTS = new RegExp(`^${ELEMENT}(?:[ \t]*,[ \t]*${ELEMENT})*$`, "i");

/**
 * What an application is told. What is appended to must be a list of elements (OBS-33), or is left out, lest an open quote
 * swallow ours: an application may trust only the last one (OBS-36).
 *
 * @param received as the caller sent it, if it did
 * @param ours of the verified caller; undefined where there is none (OBS-32)
 */
export function forwardedClientCert(
  mode: ForwardClientCertMode,
  received: string | undefined,
  ours: string | undefined,
): string | undefined {
  if (mode === "ALWAYS_FORWARD_ONLY") return received;
  if (mode === "SANITIZE" || ours === undefined) return undefined;
  if (mode === "FORWARD_ONLY") return received;
  if (mode === "SANITIZE_SET" || received === undefined || !ELEMENTS.test(received)) return ours;
  return `${received},${ours}`;
}

/** What a connection's two certificates say; of several URIs each is told. */
export interface CertificateFacts {
  readonly ownUris: readonly string[];
  /** SHA-256, in lower-case hexadecimal. */
  readonly hash: string;
  /** As RFC 2253 writes it, with its escapes. */
  readonly subject: () => string;
  readonly uris: readonly string[];
  readonly dnsNames: () => readonly string[];
  /** PEM, for use in a URL; "" for none. */
  readonly cert: () => string;
  readonly chain: () => string;
}

/** One element, with the details in the order in which they are asked for (OBS-33). */
export function certificateElement(
  facts: CertificateFacts,
  details: readonly ClientCertDetail[],
): string {
  const pairs = facts.ownUris.map((uri) => `By=${uri}`);
  if (facts.hash !== "") pairs.push(`Hash=${facts.hash}`);
  for (const detail of details) pairs.push(...DETAILS[detail](facts));
  return pairs.join(";");
}

/** Subject and URI are told even where the certificate has none. */
const DETAILS: Readonly<Record<ClientCertDetail, (facts: CertificateFacts) => readonly string[]>> =
  {
    cert: ({ cert }) => pem("Cert", cert()),
    chain: ({ chain }) => pem("Chain", chain()),
    subject: ({ subject }) => [`Subject="${subject()}"`],
    uri: ({ uris }) => (uris.length === 0 ? ["URI="] : uris.map((uri) => `URI=${uri}`)),
    dns: ({ dnsNames }) => dnsNames().map((name) => `DNS=${name}`),
  };

function pem(key: string, value: string): readonly string[] {
  return value === "" ? [] : [`${key}="${value}"`];
}

/** For all callers of one workload, as one view has it. */
export class ClientCertForwarding {
  readonly mode: ForwardClientCertMode;
  readonly #details: readonly ClientCertDetail[];
  readonly #own: SpiffeId;
  /** A caller has many requests, and one certificate. */
  readonly #elements: WeakMap<PresentedCertificate, string> = new WeakMap();

  constructor(
    own: SpiffeId,
    { forwardedClientCert: mode, clientCertDetails }: Omit<ProxyHeaders, "requestId">,
  ) {
    this.#own = own;
    this.mode = mode;
    this.#details = clientCertDetails;
  }

  /** @param peer undefined on plaintext; at a gateway it may be none of the mesh */
  forward(received: string | undefined, peer: Caller | undefined): string | undefined {
    return forwardedClientCert(this.mode, received, peer && this.#elementOf(peer));
  }

  #elementOf(peer: Caller): string {
    let element = this.#elements.get(peer);
    if (element === undefined) {
      element = certificateElement(factsOf(this.#own, peer), this.#details);
      this.#elements.set(peer, element);
    }
    return element;
  }
}

type Caller = PresentedCertificate & Partial<Pick<Peer, "id">>;

function factsOf(own: SpiffeId, { id, certificateHash, chain }: Caller): CertificateFacts {
  const [leaf] = chain;
  return {
    ownUris: [own],
    hash: certificateHash,
    subject: () => distinguishedName(leaf?.subject),
    uris: id === undefined ? urisOf(leaf) : [id],
    dnsNames: () => (leaf === undefined ? [] : dnsNamesOf(leaf)),
    cert: () => (leaf === undefined ? "" : forUrl(leaf.toString())),
    chain: () => forUrl(chain.map(String).join("")),
  };
}

/** Only what can stand without quotes. Names with a comma in them are quoted by Node, and never cut in two here. */
function dnsNamesOf({ subjectAltName = "" }: X509Certificate): readonly string[] {
  return subjectAltName.split(", ").flatMap((entry) => /^DNS:([\w*.-]+)$/.exec(entry)?.[1] ?? []);
}

/** The same of URIs: a comma, semicolon or quote in one would pass for the end of it. */
function urisOf(leaf: X509Certificate | undefined): readonly string[] {
  const entries = (leaf?.subjectAltName ?? "").split(", ");
  return entries.flatMap((entry) => /^URI:([!#-+\--:<>-[\]-~]+)$/.exec(entry)?.[1] ?? []);
}

function forUrl(text: string): string {
  return encodeURIComponent(text);
}
