/**
 * The annotation `inject.istio.io/templates`: by which templates Istio's injector makes a pod's proxy (INJ-15). With the one
 * called `gateway` the proxy is all that the pod runs; its container, `istio-proxy` with image `auto`, is filled in. With
 * `grpc-agent` the pod's gRPC programs are proxies themselves.
 */
import type { Container } from "./container.ts";
import type { PodTemplate } from "./pod-template.ts";

export const TEMPLATES_ANNOTATION = "inject.istio.io/templates";
export const PROXY_CONTAINER = "istio-proxy";
/** On pods that were made for a Gateway of the Gateway API: they are nobody's to inject, being proxies from the start. */
export const MANAGED_LABEL = "gateway.istio.io/managed";
export const MANAGED_GATEWAY = "istio.io-gateway-controller";
/** In place of an image: the injector knows it. */
const FILLED_IN = "auto";

/** Whether its proxy serves others instead of standing beside an application. */
export function isGatewayTemplate({ annotations }: Pick<PodTemplate, "annotations">): boolean {
  const templates = (annotations[TEMPLATES_ANNOTATION] ?? "").split(",");
  return templates.some((name) => name.trim() === "gateway");
}

/** Whether the pod's programs speak xDS themselves, and are given what gRPC needs for it. */
export function isGrpcAgentTemplate({ annotations }: Pick<PodTemplate, "annotations">): boolean {
  const templates = (annotations[TEMPLATES_ANNOTATION] ?? "").split(",");
  return templates.some((name) => name.trim() === "grpc-agent");
}

export function isManagedGateway({ labels }: Pick<PodTemplate, "labels">): boolean {
  return labels[MANAGED_LABEL] === MANAGED_GATEWAY;
}

/** Whether a container stands for the proxy itself, and is no program of the user's. */
export function isProxyContainer({ name, image, command }: Container): boolean {
  return name === PROXY_CONTAINER && image === FILLED_IN && command.length === 0;
}
