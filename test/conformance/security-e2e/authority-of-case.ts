/** The authority that a case tells of, with files, lists and rings as a user's mesh has them. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type OpenedAuthorityRing, openAuthorityRing } from "../../../src/ca/authority-ring.ts";
import { readPluggedAuthority } from "../../../src/ca/read-plugged-authority.ts";
import type { AuthorityTrust } from "../../../src/ca/rotation.ts";
import {
  createCertificateRequest,
  parseCertificateRequest,
} from "../../../src/identity/certificate-request.ts";
import type { SpiffeId } from "../../../src/identity/spiffe-id.ts";
import type { X509Svid } from "../../../src/identity/x509-svid.ts";
import {
  type AuthorityParts,
  authorityFiles,
  authorityParts,
  writeFiles,
} from "../../kit/authority-folder.ts";
import { buildRevocationList } from "../../kit/certificate-builder.ts";
import type { E2eCase } from "./e2e-case.ts";
import { NotUnderstood } from "./not-understood.ts";

const HOUR_MS = 3_600_000;

export interface CaseAuthority {
  readonly trust: AuthorityTrust;
  /** Of a key that a workload has made for itself. */
  svid(id: SpiffeId): X509Svid;
  close(): Promise<void>;
}

/** @throws NotUnderstood */
export async function authorityOf(test: E2eCase): Promise<CaseAuthority> {
  const lists = listsOf(test);
  const folder = await mkdtemp(join(tmpdir(), "hauberk-conformance-"));
  const ring = await openRing(folder, lists);
  return {
    trust: ring.trust.current,
    svid: (id) => svidOf(ring, id),
    close: () => rm(folder, { recursive: true }),
  };
}

/** What of the case's authority is published: nothing is brought, files alone, lists, or such as name the intermediate. */
type Lists = "own" | "none" | "published" | "revoking";

function listsOf({ setup }: E2eCase): Lists {
  const told = setup?.["ca"];
  if (told === undefined) return "own";
  if (typeof told !== "string" || !/^plug(ged-)?in CA/.test(told))
    throw new NotUnderstood(`setup.ca ${told}`);
  if (!/\bCRL\b/.test(told)) return "none";
  return /revok/i.test(told) ? "revoking" : "published";
}

/** A list that revokes comes when the mesh runs already. */
async function openRing(folder: string, lists: Lists): Promise<OpenedAuthorityRing> {
  const common = { directory: join(folder, "data"), trustDomain: "cluster.local" };
  if (lists === "own") return openAuthorityRing(common);
  const parts = authorityParts();
  await writeFiles(folder, authorityFiles(parts));
  if (lists !== "none") await writeFiles(folder, { "ca-crl.pem": listText(parts, []) });
  const read = () => readPluggedAuthority(folder, { now: new Date() });
  const ring = await openAuthorityRing({ ...common, plugged: await read() });
  if (lists !== "revoking") return ring;
  const { serialNumber } = parts.signing.certificate;
  await writeFiles(folder, { "ca-crl.pem": listText(parts, [{ serialNumber }]) });
  const outcome = await ring.refresh(await read());
  if ("refused" in outcome) throw new Error(outcome.refused);
  return ring;
}

function listText(
  { root, signing }: AuthorityParts,
  revoked: readonly { readonly serialNumber: string }[],
): string {
  return buildRevocationList(root, { revoked }) + buildRevocationList(signing);
}

function svidOf(ring: OpenedAuthorityRing, id: SpiffeId): X509Svid {
  const { csrPem, privateKeyPem } = createCertificateRequest();
  const { publicKey } = parseCertificateRequest(csrPem);
  const now = new Date();
  const issued = ring.issuer.current.issue({ publicKey, id, lifetimeMs: HOUR_MS, now });
  return {
    id,
    certificateChainPem: issued.chainPem.join(""),
    privateKeyPem,
    serialNumber: issued.serialNumber,
    issuedAt: now,
    notAfter: issued.notAfter,
  };
}
