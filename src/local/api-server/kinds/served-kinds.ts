/** All that the API server serves. The order is that of discovery: groups stand together. */
import { ACCESS_KINDS } from "./access-kinds.ts";
import { CORE_KINDS } from "./core-kinds.ts";
import { EVENT_KINDS } from "./event-forms.ts";
import { GATEWAY_API_KINDS } from "./gateway-api-kinds.ts";
import { ISTIO_KINDS } from "./istio-kinds.ts";
import { NETWORK_KINDS } from "./network-kinds.ts";
import { OWN_KINDS } from "./own-kinds.ts";
import type { ServedKind } from "./served-kind.ts";
import { WORKLOAD_KINDS } from "./workload-kinds.ts";

export const SERVED_KINDS: readonly ServedKind[] = [
  ...CORE_KINDS,
  ...WORKLOAD_KINDS,
  ...NETWORK_KINDS,
  ...EVENT_KINDS,
  ...ACCESS_KINDS,
  ...ISTIO_KINDS,
  ...GATEWAY_API_KINDS,
  ...OWN_KINDS,
];
