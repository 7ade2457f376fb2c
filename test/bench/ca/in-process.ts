/** Certificates a core-second, in one process, by the calls that the certificate service makes. */
import { createPrivateKey } from "node:crypto";
import { CertificateAuthority } from "../../../src/ca/certificate-authority.ts";
import { createSelfSignedAuthority } from "../../../src/ca/self-signed-authority.ts";
import {
  createCertificateRequest,
  parseCertificateRequestOffLoop,
} from "../../../src/identity/certificate-request.ts";
import { parseSpiffeId } from "../../../src/identity/spiffe-id.ts";
import { type Spread, spreadOf } from "../spread.ts";

const ROUNDS = 7;
const ROUND_MS = 700;
const WARM_UP_MS = 1500;
const AT_ONCE = 8;
const LIFETIME_MS = 86_400_000;
const REQUESTS = 64;

export interface InProcess {
  /** From PEM to PEM, the request's signature verified, each second of a core. */
  readonly certificates: Spread;
  /** From requests that were parsed and verified before. */
  readonly issued: Spread;
}

export async function measureInProcess(): Promise<InProcess> {
  const now = new Date();
  const { certificatePem, privateKeyPem } = createSelfSignedAuthority({
    trustDomain: "cluster.local",
    now,
  });
  const authority = new CertificateAuthority({
    certificatePem,
    privateKey: createPrivateKey(privateKeyPem),
    rootsPem: [certificatePem],
  });
  const id = parseSpiffeId("spiffe://cluster.local/ns/production/sa/api");
  const pems = Array.from({ length: REQUESTS }, () => createCertificateRequest().csrPem);
  const parsed = await Promise.all(pems.map(parseCertificateRequestOffLoop));
  let turn = 0;
  const next = <T>(values: readonly T[]): T => {
    turn += 1;
    const value = values[turn % values.length];
    if (value === undefined) throw new RangeError("nothing to choose from");
    return value;
  };
  const issue = async (): Promise<unknown> => {
    const { publicKey } = next(parsed);
    return authority.issueOffLoop({ publicKey, id, lifetimeMs: LIFETIME_MS, now });
  };
  const certify = async (): Promise<unknown> => {
    const { publicKey } = await parseCertificateRequestOffLoop(next(pems));
    return authority.issueOffLoop({ publicKey, id, lifetimeMs: LIFETIME_MS, now });
  };
  return { certificates: await measure(certify), issued: await measure(issue) };
}

async function measure(task: () => Promise<unknown>): Promise<Spread> {
  await runFor(WARM_UP_MS, task);
  const rates: number[] = [];
  for (let round = 0; round < ROUNDS; round++) rates.push(await runFor(ROUND_MS, task));
  return spreadOf(rates);
}

/** @returns tasks for each second of processor time, of all threads */
async function runFor(milliseconds: number, task: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  const end = performance.now() + milliseconds;
  let done = 0;
  const work = async (): Promise<void> => {
    while (performance.now() < end) {
      await task();
      done += 1;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  const { user, system } = process.cpuUsage(before);
  return (done * 1_000_000) / (user + system);
}
