import { CANARY, CANARY_PROOF, CANARY_SELECTORS } from '../functions/canary-delivery.ts';
import type { Configuration, ConnectionConfiguration } from './config/load.ts';

/**
 * The connection that the stack makes for its canary, under its name; none without a canary. It is not one of the
 * configuration's connections, so nothing that goes through those counts it.
 */
export function canaryConnections({
  stack: { canary },
}: Pick<Configuration, 'stack'>): Record<string, ConnectionConfiguration> {
  if (!canary) return {};
  return {
    [CANARY]: { crm: 'custom', polyai: canary.polyai, verify: CANARY_PROOF, ...CANARY_SELECTORS },
  };
}
