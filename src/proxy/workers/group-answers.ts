/** What a sidecar of several processes answers to its administration: each of them is asked, and their answers are one. */
import type { CertificateInUse, SidecarCertificates } from "../../identity/sidecar-certificates.ts";
import type { LimitLeft } from "../../policy/rate-limits/limit-left.ts";
import type { Log, LogLevel } from "../../runtime/log.ts";
import type { WatchedValue } from "../../runtime/watched.ts";
import type { SidecarDump, SidecarProcessDump } from "../admin-dump.ts";
import { sumOfLimit } from "../admin-limit.ts";
import { type AdminPage, type AdminRequest, jsonPage, textPage } from "../admin-page.ts";
import { type AnswerAdmin, adminAnswers, logLevelPage, setLogLevel } from "../admin-routes.ts";
import { type AdminOptions, metricsPage, readyPage } from "../admin-server.ts";
import type { SupervisedWorker } from "./supervised-worker.ts";
import type { WorkerGroup, WorkerReply } from "./worker-group.ts";

export interface GroupAnswersOptions {
  readonly group: WorkerGroup;
  readonly metrics: AdminOptions["metrics"];
  /** Of all processes' logs. */
  readonly logLevel: WatchedValue<LogLevel>;
  readonly log: Log;
}

export function groupAnswers({ group, metrics, logLevel, log }: GroupAnswersOptions): AnswerAdmin {
  return adminAnswers(
    {
      "/certs": () => certificatesPage(group),
      "/clusters": () => firstAnswer(group, "/clusters"),
      "/config_dump": () => dumpPage(group),
      "/listeners": () => firstAnswer(group, "/listeners"),
      "/logging": () => logLevelPage(logLevel.current),
      "/ready": () => readyPage(group.state),
      "/stats": () => metricsPage(metrics),
    },
    {
      "/drain": (parameters) => drain({ group, log }, parameters),
      "/logging": (parameters) => setLogLevel({ logLevel, log }, parameters),
    },
    { "/limit": (parameters) => limitOfAll(group, parameters) },
  );
}

const NOBODY = textPage(503, "no process of the sidecar answers\n");

/** Of what all have alike. */
async function firstAnswer(group: WorkerGroup, path: string): Promise<AdminPage> {
  const replies = await group.askAll(read(path));
  return replies.find(({ page }) => page?.status === 200)?.page ?? NOBODY;
}

async function limitOfAll(group: WorkerGroup, parameters: URLSearchParams): Promise<AdminPage> {
  const replies = await group.askAll({ method: "GET", path: "/limit", parameters });
  const sum = sumOfLimit(replies.flatMap((reply) => told<LimitLeft>(reply) ?? []));
  return sum === undefined ? (replies[0]?.page ?? NOBODY) : jsonPage(sum);
}

async function certificatesPage(group: WorkerGroup): Promise<AdminPage> {
  const replies = await group.askAll(read("/certs"));
  const certificates = allCertificates(replies.map((reply) => told<SidecarCertificates>(reply)));
  return certificates === undefined ? NOBODY : jsonPage(certificates);
}

async function dumpPage(group: WorkerGroup): Promise<AdminPage> {
  const replies = await group.askAll(read("/config_dump"));
  const dumps = replies.map((reply) => told<SidecarDump>(reply));
  const first = dumps.find((dump) => dump !== undefined);
  const certificates = allCertificates(dumps.map((dump) => dump?.certificates));
  if (first === undefined || certificates === undefined) return NOBODY;
  const processes = replies.map(({ worker }, index) =>
    processDump(worker, { dump: dumps[index], usual: first.view }),
  );
  return jsonPage({ ...first, state: group.state, certificates, processes });
}

function processDump(
  { number: process, current }: SupervisedWorker,
  { dump, usual }: { readonly dump: SidecarDump | undefined; readonly usual: SidecarDump["view"] },
): SidecarProcessDump {
  const { state = "starting", view = null } = dump ?? {};
  const known = { process, processId: current?.processId ?? null, state };
  return JSON.stringify(view) === JSON.stringify(usual) ? known : { ...known, view };
}

/** What a worker, of this same version, answers; undefined where it does not. */
function told<T>({ page }: WorkerReply): T | undefined {
  return page?.status === 200 ? (JSON.parse(page.body) as T) : undefined;
}

const NONE: CertificateInUse = {
  id: null,
  serialNumber: null,
  notAfter: null,
  issuedAt: null,
  certificateChainPem: null,
};

/**
 * @param told of each process, by their numbers
 * @returns undefined where none says anything
 */
function allCertificates(
  told: readonly (SidecarCertificates | undefined)[],
): SidecarCertificates | undefined {
  const held = told.filter((one) => one !== undefined);
  const [first, ...others] = held;
  if (first === undefined) return undefined;
  const endsFirst = others.reduce((one, other) => (endOf(other) < endOf(one) ? other : one), first);
  const processes = told.map((one, index) => {
    const { rootsPem: _, ...own } = one ?? { ...NONE, rootsPem: [] };
    return { process: index + 1, ...own };
  });
  return { ...endsFirst, processes };
}

function endOf({ notAfter }: CertificateInUse): number {
  return notAfter === null ? Number.POSITIVE_INFINITY : Date.parse(notAfter);
}

async function drain(
  { group, log }: Pick<GroupAnswersOptions, "group" | "log">,
  parameters: URLSearchParams,
): Promise<AdminPage> {
  if (parameters.size !== 0) return textPage(400, "/drain takes no parameters\n");
  if (group.workers.every(({ isReady }) => !isReady) && group.state === "starting")
    return textPage(409, "the sidecar does not serve yet\n");
  log.warn("the sidecar drains: it was asked to");
  return (await group.drain()) ? textPage(202, "draining\n") : NOBODY;
}

function read(path: string): Pick<AdminRequest, "method" | "path" | "parameters"> {
  return { method: "GET", path, parameters: new URLSearchParams() };
}
