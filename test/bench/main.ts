/** `npm run bench -- NAME`: our figures beside those of peers, measured in the same run. Exit 1 when a goal is missed. */
import { benchApply } from "./apply/bench-apply.ts";
import { benchCa } from "./ca/bench-ca.ts";
import { benchEnvoyRules } from "./envoy-rules/bench-envoy-rules.ts";
import { benchPolicy } from "./policy/bench-policy.ts";
import { benchPush } from "./push/bench-push.ts";
import { benchRequests } from "./requests/bench-requests.ts";
import { benchRevocation } from "./revocation/bench-revocation.ts";
import { benchSidecar } from "./sidecar/bench-sidecar.ts";

const BENCHES: Readonly<Record<string, (args: readonly string[]) => Promise<number>>> = {
  apply: benchApply,
  ca: benchCa,
  "envoy-rules": benchEnvoyRules,
  policy: benchPolicy,
  push: benchPush,
  requests: benchRequests,
  revocation: benchRevocation,
  sidecar: benchSidecar,
};

const [name = "", ...rest] = process.argv.slice(2);
const bench = Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined;
if (bench === undefined) {
  console.error(`npm run bench -- NAME, where NAME is one of: ${Object.keys(BENCHES).join(", ")}`);
  process.exitCode = 1;
} else {
  process.exitCode = await bench(rest);
}
