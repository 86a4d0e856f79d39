import { canonicalJson, sha256 } from '#base';
import type { ModelEvidence } from '#research';

/**
 * What a training came to, as the registry of runs keeps it: the record of evidence by its hash, the runs and the data it rests on,
 * and its figures. It follows from the evidence alone, so whoever has the evidence knows where to look.
 */
export function judgementOf(evidence: ModelEvidence): { readonly hash: string; readonly body: string } {
  const { model, dataHash, study, runs, figures } = evidence;
  const whole = sha256(canonicalJson(evidence));
  const body = canonicalJson({ schemaVersion: 1, model, evidence: whole, dataHash, study, runs, figures });
  return { hash: sha256(body), body };
}
