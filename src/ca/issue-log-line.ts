/** One line of the issue log, written and read. */
import { parseSpiffeId, parseWorkloadIdentity } from "../identity/spiffe-id.ts";
import type { NotedCertificate } from "./issued-certificates.ts";
import type { TokenBearer } from "./service-account-tokens.ts";

/** What is written down of a certificate. */
export interface IssueRecord extends NotedCertificate {
  readonly time: Date;
  readonly authenticatedBy: "certificate" | "token";
  /** `address:port` */
  readonly remote: string;
  /** The authority's id. */
  readonly issuer: string;
}

/** With its line end. */
export function writeIssueLine(record: IssueRecord): string {
  const { pod } = record;
  const line = {
    time: record.time.toISOString(),
    serial: record.serial,
    identity: record.identity,
    authenticatedBy: record.authenticatedBy,
    pod: pod && { namespace: pod.namespace, name: pod.podName, uid: pod.podUid },
    impersonatedBy: record.impersonatedBy,
    remote: record.remote,
    notAfter: record.notAfter.toISOString(),
    issuer: record.issuer,
    publicKeySha256: record.publicKeySha256,
  };
  return `${JSON.stringify(line)}\n`;
}

/** @returns undefined for what is no line of ours */
export function readIssueLine(line: string): NotedCertificate | undefined {
  try {
    return readRecord(JSON.parse(line));
  } catch {
    return undefined; // whose certificate it is stays unknown: then it proves nothing
  }
}

/** @throws InvalidSpiffeIdError */
function readRecord(line: unknown): NotedCertificate | undefined {
  const serial = field(line, "serial");
  const identity = parseSpiffeId(field(line, "identity") ?? "");
  const notAfter = new Date(field(line, "notAfter") ?? "");
  const publicKeySha256 = field(line, "publicKeySha256");
  if (serial === undefined || publicKeySha256 === undefined) return undefined;
  if (Number.isNaN(notAfter.getTime())) return undefined;
  const agent = field(line, "impersonatedBy");
  const impersonatedBy = agent === undefined ? undefined : parseSpiffeId(agent);
  const { serviceAccount } = parseWorkloadIdentity(impersonatedBy ?? identity);
  const pod = readPod(part(line, "pod"), serviceAccount);
  return { serial, publicKeySha256, identity, pod, impersonatedBy, notAfter };
}

function readPod(pod: unknown, serviceAccount: string): TokenBearer | undefined {
  const [namespace, podName, podUid] = ["namespace", "name", "uid"].map((name) => field(pod, name));
  if (namespace === undefined || podName === undefined || podUid === undefined) return undefined;
  return { namespace, podName, podUid, serviceAccount };
}

function field(of: unknown, name: string): string | undefined {
  const value = part(of, name);
  return typeof value === "string" ? value : undefined;
}

function part(of: unknown, name: string): unknown {
  if (typeof of !== "object" || of === null) return undefined;
  return Object.entries(of).find(([key]) => key === name)?.[1];
}
