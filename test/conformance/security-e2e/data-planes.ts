/** Which proxies carry a case: our own, or real Envoys with their agents. */
import type { X509Svid } from "../../../src/identity/x509-svid.ts";
import type { WorkloadView } from "../../../src/policy/workload-view.ts";
import { startTestSidecar } from "../../kit/sidecar-fixture.ts";

export interface RunningProxy {
  /** What it had last against a client, where it says so. */
  refusal(): Promise<string>;
  close(): Promise<void>;
}

export type StartProxy = (options: {
  readonly view: WorkloadView;
  readonly svid: X509Svid;
}) => Promise<RunningProxy>;

export const startEmbedded: StartProxy = async (options) => {
  const { sidecar, entries } = await startTestSidecar(options);
  return {
    refusal: async () => {
      await new Promise((resolve) => setTimeout(resolve, 50));
      const reason = entries.at(-1)?.decision?.reason;
      return reason?.because === "peer-not-verified" ? reason.problem : "";
    },
    close: () => sidecar.close(),
  };
};

/** What it takes is loaded by whoever asks for it. */
const startEnvoy: StartProxy = async (options) => {
  const { startTestEnvoy } = await import("../../kit/envoy-pod.ts");
  const envoy = await startTestEnvoy(options);
  return { refusal: () => Promise.resolve(""), close: () => envoy.close() };
};

/** By the word for `--proxy`. */
export const DATA_PLANES: ReadonlyMap<string, StartProxy> = new Map([
  ["embedded", startEmbedded],
  ["envoy", startEnvoy],
]);
