import { CRMS } from '../../functions/crm/index.ts';
import { secretContent } from '../../functions/schemes/index.ts';
import type { VerifySettings } from '../../functions/schemes/scheme.ts';

/** Whether its selectors see one event of a delivery. */
export function seesOneEvent(crm: string): boolean {
  return CRMS[crm]?.hasBatches ?? false;
}

/** Whether it is the name of a preset; `constructor` and the like are not. */
export function isPreset(crm: unknown): crm is string {
  return typeof crm === 'string' && Object.hasOwn(CRMS, crm);
}

/** The settings that a preset takes. */
export function takes(crm: string): readonly string[] {
  return CRMS[crm]?.takes ?? [];
}

/** The settings without which it cannot work. */
export function requires(crm: string): readonly string[] {
  const { verify, requires = [] } = CRMS[crm] ?? {};
  return [...new Set<string>([...(verify ? [] : ['verify']), ...requires])];
}

/** Whether another setting does as well: `finishedWhen` decides alone, where the preset takes that. */
export function isReplaceable(crm: string, setting: string): boolean {
  return setting === 'finishedValues' && takes(crm).includes('finishedWhen');
}

/** The settings of which at least one must be there. */
export function requiresOneOf(crm: string): readonly string[] {
  return CRMS[crm]?.requiresOneOf ?? [];
}

/** Whether its events can prove, with these settings, that a ticket was not finished before. */
export function provesChange(crm: string, settings: Record<string, unknown>): boolean {
  const { provesChange: proves = false } = CRMS[crm] ?? {};
  if (settings.finishedWhen !== undefined) return false;
  if (typeof proves === 'boolean') return proves;
  const { finishedValues } = settings;
  // What is no list is said elsewhere.
  return proves(Array.isArray(finishedValues) ? { finishedValues: finishedValues.map(String) } : {});
}

/** The schemes among which `verify` may choose; `undefined` where it may choose any. */
export function schemes(crm: string): readonly string[] | undefined {
  return CRMS[crm]?.schemes;
}

/** Whether deliveries that are proven so need a secret of the connection's. */
export function needsSecret({ scheme }: VerifySettings): boolean {
  return secretContent(scheme) !== 'none';
}

/** The settings of a secret, where the preset's own proof rests on none. */
export function refusedSecret(crm: string): readonly string[] {
  const { verify } = CRMS[crm] ?? {};
  const proof = typeof verify === 'function' ? verify({}) : verify;
  return proof && !needsSecret(proof) ? ['existingSecret', 'existingSecretKey'] : [];
}

/** What a `sender` must look like; `undefined` where that is not known. */
export function senderForm(crm: string): { pattern: RegExp; mend: string } | undefined {
  return CRMS[crm]?.senderForm;
}
