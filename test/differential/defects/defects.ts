import type { Defect } from "./defect.ts";
import { MATCHING_DEFECTS } from "./matching.ts";
import { ORDER_DEFECTS } from "./order.ts";
import { REQUEST_DEFECTS } from "./requests.ts";
import { TOKEN_DEFECTS } from "./tokens.ts";
import { TRANSPORT_DEFECTS } from "./transport.ts";

export const DEFECTS: readonly Defect[] = [
  ...ORDER_DEFECTS,
  ...MATCHING_DEFECTS,
  ...TOKEN_DEFECTS,
  ...TRANSPORT_DEFECTS,
  ...REQUEST_DEFECTS,
];
