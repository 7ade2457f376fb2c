/**
 * The structure of a ProxyConfig.
 * Source: https://istio.io/latest/docs/reference/config/networking/proxy-config/
 */
import { workloadSelector } from "../parts/workload-selector.ts";
import { int32, mapOf, type ObjectSchema, object, resource, text } from "../schema.ts";

const spec = object({
  concurrency: int32({ min: 0, nullable: true }),
  environmentVariables: mapOf(text({ maxLength: 2048 })),
  image: object({ imageType: text() }),
  selector: workloadSelector,
});

export const proxyConfigSchema: ObjectSchema = resource(spec, "optional");
