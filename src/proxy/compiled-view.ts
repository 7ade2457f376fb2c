/** A view with its policies compiled: done once for each view, never for a request. */
import { type CompiledAuthorization, compileAuthorization } from "../policy/authorize.ts";
import type { InboundPort, WorkloadView } from "../policy/workload-view.ts";
import type { InboundRules } from "./inbound-steps.ts";

export interface CompiledView {
  readonly view: WorkloadView;
  /** For ports and connections that carry HTTP. */
  readonly http: CompiledAuthorization;
  /** For those that do not (AP-60). */
  readonly tcp: CompiledAuthorization;
}

export function compileView(view: WorkloadView): CompiledView {
  const { authorization } = view.inbound;
  const { trust } = view;
  return {
    view,
    http: compileAuthorization(authorization, { protocol: "http", trust }),
    tcp: compileAuthorization(authorization, { protocol: "tcp", trust }),
  };
}

export function inboundRules({ view, http }: CompiledView, port: InboundPort): InboundRules {
  return {
    own: view.workload.identity,
    trust: view.trust,
    mutualTls: port.mutualTls,
    pathNormalization: view.inbound.pathNormalization,
    authorization: http,
  };
}
