/**
 * The structure of a Gateway.
 * Source: https://istio.io/latest/docs/reference/config/networking/gateway/
 */
import { serverTls } from "../parts/tls-settings.ts";
import { list, mapOf, type ObjectSchema, object, resource, text, uint32 } from "../schema.ts";

const server = object(
  {
    bind: text(),
    defaultEndpoint: text(),
    hosts: list(text()),
    name: text(),
    port: object(
      { name: text(), number: uint32(), protocol: text(), targetPort: uint32() },
      { required: ["number", "protocol", "name"] },
    ),
    tls: serverTls,
  },
  { required: ["port", "hosts"] },
);

const spec = object({ selector: mapOf(text()), servers: list(server) });

export const gatewaySchema: ObjectSchema = resource(spec, "optional");
