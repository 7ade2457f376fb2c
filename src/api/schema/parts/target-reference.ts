/** The gateways and services that a policy is attached to. */
import { OWN_NAMESPACE } from "../rules.ts";
import { type ListSchema, list, type ObjectSchema, object, text } from "../schema.ts";

export const targetRef: ObjectSchema = object(
  {
    group: text({
      maxLength: 253,
      pattern: /^$|^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
    }),
    kind: text({ minLength: 1, maxLength: 63, pattern: /^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$/ }),
    name: text({ minLength: 1, maxLength: 253 }),
    namespace: text({ rules: [OWN_NAMESPACE] }),
  },
  { required: ["kind", "name"] },
);

export const targetRefs: ListSchema = list(targetRef, { maxItems: 16 });
