/** Who a proxy says it is, and how it is set up: told once, with the first request of a stream. */
import type { ProxySettings } from "../../envoy/proxy-settings.ts";
import type { ProxyNode } from "../../wire/envoy/discovery-messages.ts";
import { GrpcStatusError } from "../../wire/grpc-status.ts";

/** Of a proxy's own metadata, in which it says what only this mesh knows of. */
const OWN_METADATA = "HAUBERK";
/** Under which a proxy says what it can read: Istio's key, and its word for gRPC's own clients. */
const GENERATOR = "GENERATOR";
const GRPC = "grpc";
const MAX_PORT = 65_535;
const MAX_MARK = 0xffff_ffff;
const MAX_AGE_SECONDS = 365 * 24 * 3_600;
const MAX_RULES = 1_000_000;
const VERSION = /^\d{1,4}\.\d{1,4}\.\d{1,4}$/;
/** Of a proxy that does not say: no form that is newer is sent to it. */
const UNKNOWN_VERSION = "0.0.0";

/**
 * The pod that a node's id names: `sidecar~10.0.0.1~api-0.shop~shop.svc.cluster.local`.
 *
 * @returns `namespace/pod`
 * @throws GrpcStatusError for an id that names none
 */
export function podOfNode({ id }: Pick<ProxyNode, "id">): string {
  const [, , name = "", domain = ""] = id.split("~");
  const namespace = domain.split(".")[0] ?? "";
  const pod = name.endsWith(`.${namespace}`) ? name.slice(0, -namespace.length - 1) : "";
  if (namespace !== "" && pod !== "") return `${namespace}/${pod}`;
  throw new GrpcStatusError(
    "INVALID_ARGUMENT",
    "node.id: expected TYPE~ADDRESS~POD.NAMESPACE~NAMESPACE.svc.DOMAIN",
  );
}

/** Equal settings are one object: what is made for one proxy serves all that are set up alike. */
export class KnownSettings {
  readonly #known: Map<string, WeakRef<ProxySettings>> = new Map();

  /** @throws GrpcStatusError for settings that are none */
  of(node: ProxyNode): ProxySettings {
    const settings = settingsOf(node);
    const key = JSON.stringify(settings);
    const known = this.#known.get(key)?.deref();
    if (known !== undefined) return known;
    for (const [other, reference] of this.#known)
      if (reference.deref() === undefined) this.#known.delete(other);
    this.#known.set(key, new WeakRef(settings));
    return settings;
  }
}

function settingsOf({ version, metadata }: ProxyNode): ProxySettings {
  const own = fieldsOf(metadata[OWN_METADATA]);
  const captured = own["capture"];
  const { inboundPort, outboundPort } = fieldsOf(captured);
  const mark = own["mark"];
  const age = own["connectionAgeSeconds"];
  const rules = own["linearUpTo"];
  return {
    ...(metadata[GENERATOR] === GRPC && { generator: GRPC }),
    version: VERSION.test(version) ? version : UNKNOWN_VERSION,
    ...(captured !== undefined && {
      capture: {
        inboundPort: numberIn("capture.inboundPort", inboundPort, MAX_PORT),
        outboundPort: numberIn("capture.outboundPort", outboundPort, MAX_PORT),
      },
    }),
    ...(mark !== undefined && { mark: numberIn("mark", mark, MAX_MARK) }),
    ...(age !== undefined && {
      connectionAgeSeconds: numberIn("connectionAgeSeconds", age, MAX_AGE_SECONDS),
    }),
    ...(rules !== undefined && { linearUpTo: numberIn("linearUpTo", rules, MAX_RULES) }),
    ...(own["decisionLog"] === true && { decisionLog: true }),
    ...(own["ipv6"] === "absent" && { ipv6: "absent" }),
  };
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function numberIn(field: string, value: unknown, most: number): number {
  if (typeof value === "number" && Number.isInteger(value) && value > 0 && value <= most)
    return value;
  throw new GrpcStatusError(
    "INVALID_ARGUMENT",
    `node.metadata.${OWN_METADATA}.${field}: expected a whole number from 1 to ${most}`,
  );
}
