/** `meshMTLS.minProtocolVersion` of the mesh configuration, as the inbound side serves it (TLS-10). */
import { buildSnapshot } from "../../../src/policy/mesh-snapshot.ts";
import { type ConformanceCase, compare, type TableRunner } from "../suite-runner.ts";
import { table } from "../table-runner.ts";
import { resourcesIn } from "../upstream-objects.ts";
import { servedTls } from "./served-tls.ts";

const MINIMUM = "meshConfig.meshMTLS.minProtocolVersion";

type ParameterCase = ConformanceCase & {
  /** Null where the mesh configuration says nothing. */
  readonly [MINIMUM]: string | null;
  readonly expected: string;
};

export const tlsParameters: TableRunner = table<ParameterCase>({
  fields: [MINIMUM, "expected"],
  run({ [MINIMUM]: minProtocolVersion, expected }) {
    const config = { rootNamespace: "istio-system", meshMTLS: { minProtocolVersion } };
    const written = minProtocolVersion === null ? { ...config, meshMTLS: {} } : config;
    const resources = resourcesIn(JSON.stringify(written));
    const snapshot = buildSnapshot({ resources, workloads: [], rootsPem: [] });
    return compare({ expected, got: servedTls(snapshot).minVersion });
  },
});
