/**
 * The book of what was certified: one JSON line a certificate, on disk before the certificate leaves. Whoever cannot
 * write it down does not issue.
 */
import { setTimeout } from "node:timers/promises";
import type { SpiffeId } from "../identity/spiffe-id.ts";
import type { Clock } from "../runtime/clock.ts";
import { describeError, HauberkError } from "../runtime/hauberk-error.ts";
import type { Log } from "../runtime/log.ts";
import { IssueLogFiles } from "./issue-log-files.ts";
import type { TokenBearer } from "./service-account-tokens.ts";

/** So many records at most share one fsync. */
const MAX_BATCH = 1024;
/** How long a batch waits for company: an fsync costs the machine more than the signature. */
const GATHER_MS = 5;

/** The issue log cannot be written, so nothing is issued. */
export class IssueLogError extends HauberkError {
  readonly code = "HAUBERK_ISSUE_LOG";
}

/** What is written down of a certificate. */
export interface IssueRecord {
  readonly time: Date;
  /** Upper-case hexadecimal. */
  readonly serial: string;
  readonly identity: SpiffeId;
  readonly authenticatedBy: "certificate" | "token";
  /** The pod whose token was shown. */
  readonly pod?: TokenBearer | undefined;
  /** The node agent that asked for another's identity (CA-9). */
  readonly impersonatedBy?: SpiffeId | undefined;
  /** `address:port` */
  readonly remote: string;
  readonly notAfter: Date;
  /** The authority's id. */
  readonly issuer: string;
  /** Of the SubjectPublicKeyInfo, lower-case hexadecimal. */
  readonly publicKeySha256: string;
}

export interface IssueLog {
  /**
   * Returns when the record is on disk; records that come together share the way there.
   *
   * @throws IssueLogError
   */
  append(record: IssueRecord): Promise<void>;
  /** Waits for what is under way. */
  close(): Promise<void>;
}

interface Waiting {
  readonly record: IssueRecord;
  readonly settle: (problem?: IssueLogError) => void;
}

/**
 * Opens `DIRECTORY/issued.jsonl`, where DIRECTORY is the authority's.
 *
 * @throws IssueLogError if the folder or the file cannot be opened
 */
export async function openIssueLog(options: {
  readonly directory: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Bytes of one file, and how many full ones are kept; constant but for tests. */
  readonly limits?: { readonly fileBytes: number; readonly fullFiles: number };
}): Promise<IssueLog> {
  try {
    return new GroupedIssueLog(await IssueLogFiles.open(options), options.log);
  } catch (cause) {
    throw new IssueLogError(`the issue log in ${options.directory} cannot be opened`, { cause });
  }
}

class GroupedIssueLog implements IssueLog {
  readonly #files: IssueLogFiles;
  readonly #log: Log;
  readonly #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;
  #fails = false;

  constructor(files: IssueLogFiles, log: Log) {
    this.#files = files;
    this.#log = log;
  }

  append(record: IssueRecord): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (problem?: IssueLogError): void =>
        problem === undefined ? resolve() : reject(problem);
      this.#waiting.push({ record, settle });
      this.#writing ??= this.#writeAll();
    });
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.#files.close();
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      await setTimeout(GATHER_MS);
      const batch = this.#waiting.splice(0, MAX_BATCH);
      const problem = await this.#write(batch.map(({ record }) => record));
      for (const { settle } of batch) settle(problem);
    }
    this.#writing = undefined;
  }

  async #write(records: readonly IssueRecord[]): Promise<IssueLogError | undefined> {
    try {
      const notAfter = Math.max(...records.map((record) => record.notAfter.getTime()));
      await this.#files.append(records.map(lineOf).join(""), { notAfter: new Date(notAfter) });
      if (this.#fails) this.#log.info("the issue log is written again: certificates are issued");
      this.#fails = false;
      return undefined;
    } catch (cause) {
      this.#fails = true;
      this.#log.error("the issue log cannot be written: no certificate is issued until it can", {
        path: this.#files.path,
        refused: records.length,
        error: describeError(cause),
      });
      return new IssueLogError("the issue log cannot be written", { cause });
    }
  }
}

function lineOf(record: IssueRecord): string {
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
