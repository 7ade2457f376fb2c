/** What the log of a container is read from. */

export interface LogLine {
  /** When it was written, in milliseconds since 1970; of an application's line, by when it was there. */
  readonly at: number;
  /** With its line end, but for a line that has none. */
  readonly text: Buffer;
}

export interface LogSource {
  /** Lines that were not told yet, in order, as far as there are any now. */
  readOn(): AsyncGenerator<readonly LogLine[]>;
  /** The beginning of one that nobody will end; asked last. */
  lastLine(): LogLine | undefined;
  close(): Promise<void>;
}
