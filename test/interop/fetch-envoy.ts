/** Ends with 0 when Envoy is there, for those tests that compare with it. */
import { findOrFetchEnvoy } from "../kit/envoy-program.ts";

const { path, version } = findOrFetchEnvoy();
console.log(`Envoy ${version}: ${path}`);
