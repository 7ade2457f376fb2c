/** `npm run bench -- ca`: certificates in process and over gRPC, beside what OpenSSL does in the same run. */
import { loadavg } from "node:os";
import { createSelfSignedAuthority } from "../../../src/ca/self-signed-authority.ts";
import { rounded, type Target, tellTargets } from "../goals.ts";
import { type Bids, type Cost, MeasuredService, prepareBids } from "./certificate-callers.ts";
import { measureInProcess } from "./in-process.ts";
import { certificatesPerSecond, measureOpenssl } from "./openssl-bound.ts";
import { makeRsaAuthority } from "./rsa-authority.ts";

const OPENSSL_SECONDS = 3;
const CALLERS = 8;
const WARM_UP = 300;
const TOKENS = 1000;
const WORKLOADS = 2000;
/** Workloads that come back at once; the rest waits for them. */
const RECONNECTING_AT_ONCE = 64;
const GATE_SHARE = 0.05;
const AIM_SHARE = 0.22;
const PERCENT = 100;

/** @returns the exit code: 1 when a goal is missed */
export async function benchCa(): Promise<number> {
  console.log(`load average ${loadavg().map(rounded).join(" ")}, Node ${process.version}`);
  const targets = [...(await shares()), ...(await overGrpc())];
  await tellRsa();
  return tellTargets(targets, console.log) ? 0 : 1;
}

async function shares(): Promise<Target[]> {
  const bound = await measureOpenssl(OPENSSL_SECONDS);
  const most = certificatesPerSecond(bound);
  console.log(
    `openssl ecdsap256, one core: ${rounded(bound.signs)} signatures/s, ${rounded(bound.verifies)} verifications/s, one of each ${rounded(most)}/s`,
  );
  const { certificates, issued } = await measureInProcess();
  const share = (rate: number, of: number): string => `${rounded((PERCENT * rate) / of)} %`;
  console.log(
    `request to certificate: ${rounded(certificates.median)} a core-second [${rounded(certificates.lower)}-${rounded(certificates.upper)}], ${share(certificates.median, most)} of one verification and one signature`,
  );
  console.log(
    `certificate from a parsed request: ${rounded(issued.median)} a core-second [${rounded(issued.lower)}-${rounded(issued.upper)}], ${share(issued.median, bound.signs)} of a signature`,
  );
  const target = { unit: "", bound: "at least", goal: GATE_SHARE, aim: AIM_SHARE } as const;
  return [
    {
      ...target,
      name: "share of openssl, request to certificate",
      figure: certificates.median / most,
    },
    {
      ...target,
      name: "share of openssl, from a parsed request",
      figure: issued.median / bound.signs,
    },
  ];
}

async function overGrpc(): Promise<Target[]> {
  const now = new Date();
  const authority = createSelfSignedAuthority({ trustDomain: "cluster.local", now });
  const bids = await prepareBids(WARM_UP + 2 * TOKENS + WORKLOADS);
  const service = await MeasuredService.start(authority, bids);
  try {
    const many = { callers: CALLERS, connections: "kept" } as const;
    await service.measure(bids.take(WARM_UP), many);
    const first = await service.measure(bids.take(TOKENS), many);
    tellCost(`${TOKENS} tokens, ${CALLERS} callers, just started`, TOKENS, first);
    // As the peer's figures are: of a process that has served for a while, and compiles no more.
    const kept = await service.measure(bids.take(TOKENS), many);
    tellCost(`${TOKENS} tokens, ${CALLERS} callers`, TOKENS, kept);
    const anew = await reconnect(service, bids);
    tellCost(`${WORKLOADS} workloads reconnect`, WORKLOADS, anew);
    return [
      {
        name: "over gRPC, TLS and 1,000 tokens",
        figure: TOKENS / kept.seconds,
        unit: "/s",
        bound: "at least",
        goal: 300,
      },
      {
        name: "processor time of the service for 1,000",
        figure: (kept.cpuSeconds * 1000) / TOKENS,
        unit: " s",
        bound: "at most",
        goal: 2,
      },
      {
        name: "2,000 workloads reconnect",
        figure: anew.seconds,
        unit: " s",
        bound: "at most",
        goal: 15,
      },
    ];
  } finally {
    await service.stop();
  }
}

function reconnect(service: MeasuredService, bids: Bids): Promise<Cost> {
  const options = { callers: RECONNECTING_AT_ONCE, connections: "new" } as const;
  return service.measure(bids.take(WORKLOADS), options);
}

async function tellRsa(): Promise<void> {
  const bids = await prepareBids(WARM_UP + WORKLOADS);
  const service = await MeasuredService.start(await makeRsaAuthority(), bids);
  try {
    await service.measure(bids.take(WARM_UP), { callers: CALLERS, connections: "kept" });
    const cost = await reconnect(service, bids);
    tellCost(`${WORKLOADS} workloads reconnect, authority of RSA 4096`, WORKLOADS, cost);
  } finally {
    await service.stop();
  }
}

function tellCost(what: string, count: number, { seconds, cpuSeconds }: Cost): void {
  const rate = rounded(count / seconds);
  const cpu = rounded((cpuSeconds * 1000) / count);
  console.log(`${what}: ${rounded(seconds)} s, ${rate}/s, ${cpu} CPU s of the service for 1,000`);
}
