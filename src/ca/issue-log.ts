/**
 * The book of what was certified: one JSON line a certificate, on disk before the certificate leaves. Whoever cannot
 * write it down does not issue.
 */
import { setTimeout } from "node:timers/promises";
import type { Clock } from "../runtime/clock.ts";
import { describeError, HauberkError } from "../runtime/hauberk-error.ts";
import type { Log } from "../runtime/log.ts";
import { IssueLogFiles } from "./issue-log-files.ts";
import { type IssueRecord, readIssueLine, writeIssueLine } from "./issue-log-line.ts";
import { type CertificateHolder, IssuedCertificates } from "./issued-certificates.ts";

/** So many records at most share one fsync. */
const MAX_BATCH = 1024;
/** How long a batch waits for company: an fsync costs the machine more than the signature. */
const GATHER_MS = 5;

/** The issue log cannot be written, so nothing is issued. */
export class IssueLogError extends HauberkError {
  readonly code = "HAUBERK_ISSUE_LOG";
}

export type { IssueRecord } from "./issue-log-line.ts";

export interface IssueLog {
  /**
   * Returns when the record is on disk; records that come together share the way there.
   *
   * @throws IssueLogError
   */
  append(record: IssueRecord): Promise<void>;
  /**
   * For which pod a certificate was issued, by its serial number and its key (SHA-256 of the SubjectPublicKeyInfo, lower-case
   * hexadecimal); undefined for what is not in the book, and for what a node agent has asked for in another's name.
   */
  holderOf(serial: string, publicKeySha256: string): CertificateHolder | undefined;
  /** How many certificates of that identity this pod has got that are valid now. */
  validOf(holder: CertificateHolder): number;
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
    const files = await IssueLogFiles.open(options);
    const issued = await readIssued(files, options.clock);
    return new GroupedIssueLog({ ...options, files, issued });
  } catch (cause) {
    throw new IssueLogError(`the issue log in ${options.directory} cannot be opened`, { cause });
  }
}

async function readIssued(files: IssueLogFiles, clock: Clock): Promise<IssuedCertificates> {
  const issued = new IssuedCertificates();
  const now = clock.now();
  for await (const text of files.texts())
    for (const line of text.split("\n")) {
      const noted = line === "" ? undefined : readIssueLine(line);
      if (noted !== undefined) issued.note(noted, now);
    }
  return issued;
}

class GroupedIssueLog implements IssueLog {
  readonly #files: IssueLogFiles;
  readonly #issued: IssuedCertificates;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;
  #fails = false;

  constructor(options: {
    readonly files: IssueLogFiles;
    readonly issued: IssuedCertificates;
    readonly clock: Clock;
    readonly log: Log;
  }) {
    this.#files = options.files;
    this.#issued = options.issued;
    this.#clock = options.clock;
    this.#log = options.log;
  }

  holderOf(serial: string, publicKeySha256: string): CertificateHolder | undefined {
    return this.#issued.holderOf(serial, publicKeySha256);
  }

  validOf(holder: CertificateHolder): number {
    return this.#issued.validOf(holder, this.#clock.now());
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
      await this.#files.append(records.map(writeIssueLine).join(""), {
        notAfter: new Date(notAfter),
      });
      for (const record of records) this.#issued.note(record, this.#clock.now());
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
