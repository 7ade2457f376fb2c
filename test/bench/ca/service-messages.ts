/** What the benchmark and the process that serves certificates tell each other. */

export interface StartService {
  readonly type: "start";
  /** Of the authority. */
  readonly certificatePem: string;
  readonly privateKeyPem: string;
  /** Of whoever issues tokens. */
  readonly tokenKeyPem: string;
  /** Names of the pods that run, each as its own account in `bench`. */
  readonly pods: readonly string[];
  /** For the issue log. */
  readonly directory: string;
}

export type ToService = StartService | { readonly type: "usage" };

export type FromService =
  | { readonly type: "serving"; readonly port: number }
  /** Seconds of processor time so far. */
  | { readonly type: "usage"; readonly cpuSeconds: number };
