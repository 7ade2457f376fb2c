/** All blocks of both articles, in their order. */
import type { ArticleBlock } from "./article-block.ts";
import { block as block001 } from "./blocks/0-01-strict-mesh.ts";
import { block as block002 } from "./blocks/0-02-strict-namespace.ts";
import { block as block003 } from "./blocks/0-03-permissive-workload.ts";
import { block as block004 } from "./blocks/0-04-modes-of-ports.ts";
import { block as block005 } from "./blocks/0-05-custom-authority.ts";
import { block as block006 } from "./blocks/0-06-one-root-for-two-meshes.ts";
import { block as block007 } from "./blocks/0-07-deny-all.ts";
import { block as block008 } from "./blocks/0-08-allow-frontend.ts";
import { block as block009 } from "./blocks/0-09-allow-monitoring.ts";
import { block as block010 } from "./blocks/0-10-block-compromised.ts";
import { block as block011 } from "./blocks/0-11-complex-rules.ts";
import { block as block012 } from "./blocks/0-12-production-pattern.ts";
import { block as block013 } from "./blocks/0-13-tokens.ts";
import { block as block014 } from "./blocks/0-14-roles.ts";
import { block as block015 } from "./blocks/0-15-opa.ts";
import { block as block016 } from "./blocks/0-16-provider.ts";
import { block as block017 } from "./blocks/0-17-custom-policy.ts";
import { block as block018 } from "./blocks/0-18-audit.ts";
import { block as block019 } from "./blocks/0-19-permissive-mesh.ts";
import { block as block020 } from "./blocks/0-20-sidecars-for-all.ts";
import { block as block021 } from "./blocks/0-21-verify.ts";
import { block as block022 } from "./blocks/0-22-strict-staging.ts";
import { block as block023 } from "./blocks/0-23-mysql-permissive.ts";
import { block as block024 } from "./blocks/0-24-tls-disabled.ts";
import { block as block025 } from "./blocks/0-25-strict-at-last.ts";
import { block as block026 } from "./blocks/0-26-connection-refused.ts";
import { block as block027 } from "./blocks/0-27-certificates.ts";
import { block as block028 } from "./blocks/0-28-policies.ts";
import { block as block101 } from "./blocks/1-01-strict-mesh.ts";
import { block as block102 } from "./blocks/1-02-versions-of-an-api.ts";
import { block as block103 } from "./blocks/1-03-token-demanded.ts";
import { block as block104 } from "./blocks/1-04-network-policy.ts";
import { block as block105 } from "./blocks/1-05-telemetry.ts";

export const BLOCKS: readonly ArticleBlock[] = [
  block001,
  block002,
  block003,
  block004,
  block005,
  block006,
  block007,
  block008,
  block009,
  block010,
  block011,
  block012,
  block013,
  block014,
  block015,
  block016,
  block017,
  block018,
  block019,
  block020,
  block021,
  block022,
  block023,
  block024,
  block025,
  block026,
  block027,
  block028,
  block101,
  block102,
  block103,
  block104,
  block105,
];
