/** What `--network` takes. */
export const NETWORK_CHOICES = ["auto", "namespaces", "loopback"] as const;
export type NetworkChoice = (typeof NETWORK_CHOICES)[number];
