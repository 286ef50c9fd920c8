import { NOT_READ, type SecretState, secretStates } from '../secret-state.ts';
import { type Check, type Checked, CLI, type Finding, fault, ok, warning } from './finding.ts';

const DAY_MS = 24 * 3_600_000;
/** Longer than most rules for keys allow. */
const OLD_DAYS = 365;

/** Whether every secret is there, filled, of the right shape, and not about to be deleted. */
export const checkSecrets: Check = async ({ deployment, aws, now }) => {
  const states = await secretStates(deployment, aws);
  return states.map((state) => judge(state, now()));
};

function judge(state: SecretState, now: Checked['now'] extends () => infer Time ? Time : never): Finding {
  const { usedBy, owner, name, filled, shape, changedAt, deletedAt } = state;
  const set = `${CLI} secret set ${owner}`;
  if (deletedAt) {
    return fault(
      'secrets',
      `The secret ${name} is about to be deleted.`,
      `aws secretsmanager restore-secret --secret-id ${name}`,
      usedBy,
    );
  }
  if (shape.startsWith('it cannot be read')) {
    return fault(
      'secrets',
      `The secret ${name}: ${shape}.`,
      'Check that it exists, and that you may read it',
      usedBy,
    );
  }
  if (shape === NOT_READ) return ok('secrets', `The secret exists. Its value was ${NOT_READ}.`, usedBy);
  if (!filled) return fault('secrets', `The secret ${name} is empty.`, set, usedBy);
  if (shape !== 'ok') return fault('secrets', `The secret ${name} cannot be used: ${shape}.`, set, usedBy);
  const days = changedAt ? Math.floor((now - Date.parse(changedAt)) / DAY_MS) : 0;
  return days > OLD_DAYS
    ? warning(
        'secrets',
        `The secret ${name} is ${days} days old.`,
        `Renew it: ${CLI} secret rotate ${owner}`,
        usedBy,
      )
    : ok(
        'secrets',
        `The secret is filled and usable${changedAt ? `, last changed ${changedAt}` : ''}.`,
        usedBy,
      );
}
