/**
 * RequestAuthentications as Envoy's filter verifies tokens by them, and the claims that are lists written as one text: a
 * token that has them, and one more, is read by a rule that names them.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { STANDARD_LOCATIONS } from "../../../src/api/request-authentication.ts";
import { NOBODYS_KEYS, tokenFilters } from "../../../src/envoy/inbound/token-filter.ts";
import { appliedTokenRules } from "../../../src/policy/applied-token-rules.ts";
import { ofKind } from "../../../src/policy/mesh-snapshot.ts";
import { tokenPayload } from "../../../src/policy/token-payload.ts";
import type { AppliedTokenRule } from "../../../src/policy/workload-view.ts";
import { type CaseOutcome, type ConformanceCase, compare, type TableRunner } from "../suite-runner.ts";
import { table } from "../table-runner.ts";
import { resourcesIn, type UpstreamObject, yamlOf } from "../upstream-objects.ts";
