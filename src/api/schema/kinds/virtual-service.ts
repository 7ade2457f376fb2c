/**
 * The structure of a VirtualService.
 * Source: https://istio.io/latest/docs/reference/config/networking/virtual-service/
 */
import { tcpRoute } from "../parts/destination.ts";
import { httpRoutes } from "../parts/http-route.ts";
import { list, mapOf, type ObjectSchema, object, resource, text, uint32 } from "../schema.ts";

const tlsRoute = object(
  {
    match: list(
      object(
        {
          destinationSubnets: list(text()),
          gateways: list(text()),
          port: uint32(),
          sniHosts: list(text()),
          sourceLabels: mapOf(text()),
          sourceNamespace: text(),
        },
        { required: ["sniHosts"] },
      ),
    ),
    route: tcpRoute,
  },
  { required: ["match"] },
);

const tcpRouteRule = object({
  match: list(
    object({
      destinationSubnets: list(text()),
      gateways: list(text()),
      port: uint32(),
      sourceLabels: mapOf(text()),
      sourceNamespace: text(),
      sourceSubnet: text(),
    }),
  ),
  route: tcpRoute,
});

const spec = object({
  exportTo: list(text()),
  gateways: list(text()),
  hosts: list(text()),
  http: httpRoutes,
  tcp: list(tcpRouteRule),
  tls: list(tlsRoute),
});

export const virtualServiceSchema: ObjectSchema = resource(spec, "optional");
