import type { PolyAIStandIn } from '../../local/polyai-stand-in.ts';
import type { Clock } from './clock.ts';
import type { Address } from './connections.ts';
import type { Schedule, Window } from './schedule.ts';
import { MINUTE } from './schedule.ts';

// Changes keys and secrets while closes are under way: at PolyAI, at the CRMs and in Secrets Manager.

type Changes = {
  clock: Clock;
  schedule: Schedule;
  put: (id: string, value: object) => void;
  secretId: (kind: 'polyai' | 'connections', name: string) => string;
};

/** Revokes, changes or empties keys at their times. The stored secret follows two minutes later or more. */
export function changeKeys(
  { clock, schedule, put, secretId }: Changes,
  standIns: Record<string, PolyAIStandIn>,
) {
  let count = 0;
  for (const { trouble, project = '', from, to } of schedule.windows) {
    const standIn = standIns[project];
    if (!standIn) continue;
    const renew = () => {
      count += 1;
      standIn.keys = { apiKey: `key-${project}-${count}`, token: `token-${project}-${count}` };
    };
    const store = () => put(secretId('polyai', project), standIn.keys);
    if (trouble === 'revoked') clock.at(from, renew);
    if (trouble === 'revoked') clock.at(to, store);
    if (trouble === 'rotated') clock.at(from, renew);
    if (trouble === 'rotated') clock.at(from + 2 * MINUTE, store);
    if (trouble === 'empty_secret') {
      clock.at(from, () => put(secretId('polyai', project), { apiKey: '', token: '' }));
      clock.at(to, store);
    }
  }
}

/**
 * Changes the signing secret of each CRM. Either as documented: both values are stored before, and only the new one
 * afterwards. Or at once: the stored secret follows two minutes later.
 */
export function changeSigningSecrets(
  { clock, schedule, put, secretId }: Changes,
  addresses: Record<string, Address>,
) {
  const isChange = ({ trouble }: Window) => trouble === 'crm_rotated';
  schedule.windows.filter(isChange).forEach(({ project = '', from, to }, index) => {
    const address = addresses[project];
    if (!address) return;
    const signingSecret = `signing-${project}-renewed-${index}`;
    const id = secretId('connections', project);
    const change = () => {
      address.secret = { signingSecret };
    };
    const isAtOnce = to - from < 5 * MINUTE;
    if (!isAtOnce) {
      clock.at(from, () => put(id, { signingSecret: [signingSecret, address.secret.signingSecret] }));
    }
    clock.at(isAtOnce ? from : (from + to) / 2, change);
    clock.at(to, () => put(id, { signingSecret }));
  });
}
