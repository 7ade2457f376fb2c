/** As what traffic on a port is judged: HTTP rules are asked wherever requests are read, whichever version they come in. */
import type { PortProtocol } from "../api/service.ts";
import type { TrafficProtocol } from "./authorization-rule.ts";

const JUDGED_AS: Readonly<Record<PortProtocol, readonly TrafficProtocol[]>> = {
  http: ["http"],
  http2: ["http"],
  tcp: ["tcp"],
  auto: ["http", "tcp"],
};

/** Two where the port's protocol is not declared: by what arrives. */
export function judgedProtocols(protocol: PortProtocol): readonly TrafficProtocol[] {
  return JUDGED_AS[protocol];
}
