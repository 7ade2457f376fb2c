/** GatewayClass: who makes and runs the gateways that name it. */
import type { Fields } from "../decoder.ts";
import type { ResourceMeta } from "../resource.ts";

export interface GatewayClass {
  readonly kind: "GatewayClass";
  readonly meta: ResourceMeta;
  readonly controllerName: string;
}

/** Istio's name for itself, and for what stands in its place here. */
export const OWN_CONTROLLERS: ReadonlySet<string> = new Set([
  "istio.io/gateway-controller",
  "hauberk.dev/gateway-controller",
]);

/** Classes that are there without anybody writing them. */
export const OWN_CLASSES: ReadonlySet<string> = new Set(["istio", "hauberk"]);

export function gatewayClass(meta: ResourceMeta, root: Fields): GatewayClass {
  const spec = root.section("spec");
  const controllerName = spec.requiredText("controllerName");
  spec.accept(["description"]);
  spec.unused(["parametersRef"]);
  return { kind: "GatewayClass", meta, controllerName };
}
