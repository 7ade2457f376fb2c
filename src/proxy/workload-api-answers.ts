/** What a pod's certificate and trust are in the messages of the SPIFFE Workload API. */
import { createPrivateKey } from "node:crypto";
import { readPem } from "../identity/pem.ts";
import { parseSpiffeId } from "../identity/spiffe-id.ts";
import type { X509Svid } from "../identity/x509-svid.ts";
import type { Trust } from "../policy/workload-view.ts";

interface X509Answer {
  readonly svids: {
    readonly spiffeId: string;
    readonly x509Svid: Uint8Array;
    readonly x509SvidKey: Uint8Array;
    readonly bundle: Uint8Array;
  }[];
  readonly crl: Uint8Array[];
  readonly federatedBundles: Record<string, Uint8Array>;
}

/** The workload has one identity; its aliases are told as foreign trust domains with the same roots (CA-55). */
export function x509Answer(svid: X509Svid, trust: Trust): X509Answer {
  const { privateKeyPem, certificateChainPem } = svid;
  const key = createPrivateKey(privateKeyPem).export({ type: "pkcs8", format: "der" });
  const bundle = rootsOf(trust);
  const own = {
    spiffeId: svid.id,
    x509Svid: derOf([certificateChainPem], "CERTIFICATE"),
    x509SvidKey: key,
    bundle,
  };
  const federated = aliasesOf(trust).map((domain) => [domain, bundle] as const);
  return { svids: [own], crl: crlsOf(trust), federatedBundles: Object.fromEntries(federated) };
}

/** By the SPIFFE ID of each trust domain whose peers are accepted. */
export function x509Bundles(trust: Trust): {
  readonly crl: Uint8Array[];
  readonly bundles: Record<string, Uint8Array>;
} {
  const bundle = rootsOf(trust);
  const domains = [...trustDomains([trust.trustDomain]), ...aliasesOf(trust)];
  const bundles = domains.map((domain) => [domain, bundle] as const);
  return { crl: crlsOf(trust), bundles: Object.fromEntries(bundles) };
}

function rootsOf({ rootsPem }: Trust): Uint8Array {
  return derOf(rootsPem, "CERTIFICATE");
}

function crlsOf({ crlsPem = [] }: Trust): Uint8Array[] {
  return crlsPem.map((pem) => derOf([pem], "X509 CRL"));
}

function aliasesOf({ trustDomain, trustDomainAliases }: Trust): readonly string[] {
  const [own] = trustDomains([trustDomain]);
  return trustDomains(trustDomainAliases).filter((domain) => domain !== own);
}

/** Aliases are not bound to be names of trust domains; a client would refuse the whole answer for one that is not. */
function trustDomains(names: readonly string[]): readonly string[] {
  return names.flatMap((name) => {
    try {
      return [parseSpiffeId(`spiffe://${name.replaceAll("@", ".")}`)];
    } catch {
      return []; // no identity can be of it
    }
  });
}

/** One after the other. */
function derOf(pem: readonly string[], label: string): Uint8Array {
  const blocks = pem.flatMap((text) =>
    readPem(text, { labels: [label], maxCharacters: text.length }),
  );
  return Buffer.concat(blocks);
}
