import type { Crm } from './crm.ts';
import custom from './custom.ts';
import zendesk from './zendesk.ts';

/** Every preset by the name that `crm` takes; each stands in the file of that name. */
export const CRMS: Record<string, Crm> = { custom, zendesk };
