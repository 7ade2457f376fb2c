/** Where a VirtualService sends traffic. */
import type { AnalyzedObject } from "./analyzed-object.ts";
import type { Field } from "./field.ts";

export interface RouteDestination {
  readonly destination: Field;
  readonly isMirror: boolean;
}

export function routeDestinations({ spec }: AnalyzedObject): readonly RouteDestination[] {
  const routes = ["tcp", "tls", "http"].flatMap((kind) => spec.at(kind).items);
  const sent = routes.flatMap((route) => route.at("route").items);
  const mirrored = spec
    .at("http")
    .items.flatMap((route) => [
      route.at("mirror"),
      ...route.at("mirrors").items.map((one) => one.at("destination")),
    ]);
  return [
    ...sent.map((one) => ({ destination: one.at("destination"), isMirror: false })),
    ...mirrored
      .filter((destination) => destination.exists)
      .map((destination) => ({ destination, isMirror: true })),
  ];
}
