import { CRMS } from '../../functions/crm/index.ts';

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

/** The settings of which at least one must be there. */
export function requiresOneOf(crm: string): readonly string[] {
  return CRMS[crm]?.requiresOneOf ?? [];
}

/** The schemes among which `verify` may choose; `undefined` where it may choose any. */
export function schemes(crm: string): readonly string[] | undefined {
  return CRMS[crm]?.schemes;
}
