/** The view of the workload that a set of policies is about, as the control plane would tell it. */
import { parseSpiffeId } from "../../src/identity/spiffe-id.ts";
import type { SocketAddress } from "../../src/policy/workload.ts";
import type { WorkloadView } from "../../src/policy/workload-view.ts";
import type { SampleAuthorizer } from "../kit/sample-authorizer.ts";
import { authorizerDestinations, authorizersOf } from "./authorizers.ts";
import { calleeOf } from "./callee-identity.ts";
import { ROOT_PEM, TOKEN_RULES } from "./known-parties.ts";
import { PORT_ADDRESSES, type PolicySet } from "./question.ts";

export interface Placement {
  /** Where the proxy of the set listens, by container port. */
  readonly listen: (containerPort: number) => number;
  readonly application: SocketAddress;
  readonly authorizer: Pick<SampleAuthorizer, "ports">;
}

export function viewOfSet(
  set: PolicySet,
  { listen, application, authorizer }: Placement,
): WorkloadView {
  const authorizers = authorizersOf(set);
  const { policies, trust, pathNormalization, mode, ports, tokens } = set;
  return {
    workload: {
      namespace: "production",
      name: "api-0",
      owner: "api",
      labels: { app: "api" },
      serviceAccount: "api",
      identity: parseSpiffeId(calleeOf(set)),
    },
    trust: { ...trust, rootsPem: [ROOT_PEM], minimumTlsVersion: "TLSv1.2" },
    inbound: {
      ports: ports.map(({ containerPort, protocol }) => ({
        containerPort,
        protocol,
        mutualTls: { mode, origin: "default" },
        listen: {
          address: PORT_ADDRESSES.get(containerPort) ?? "127.0.0.1",
          port: listen(containerPort),
        },
        application,
      })),
      authorization: policies,
      pathNormalization,
      ...(tokens === "verified" && { tokenRules: TOKEN_RULES }),
      ...(authorizers && { authorizers }),
    },
    outbound: { destinations: authorizerDestinations(set, authorizer) },
  };
}
