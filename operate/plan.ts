import type { Aws } from './aws.ts';
import type { Deployment } from './deployment.ts';
import { searchLines } from './lines.ts';
import { secretStates } from './secret-state.ts';
import type { Surroundings } from './surroundings.ts';

/** A close that may be tried again. */
export type Candidate = {
  outcome: string;
  project?: string | undefined;
  /** The conversation's id, or the shared id of a look-up. */
  conversation?: string | undefined;
  /** Unix milliseconds: when it was given up, or ended. */
  endedAt: number;
};

/** What would come of it now. */
export type Prediction = {
  outcome: 'closed' | 'already_ended' | 'fails_again' | 'unknown';
  why: string;
};

/** What has changed since closes were given up. */
export type Facts = {
  projects: readonly string[];
  /** When each project's secret was last changed, in Unix milliseconds. */
  secretChangedAt: Record<string, number>;
  /** When the stack was last deployed, in Unix milliseconds. */
  deployedAt: number;
  /** Conversations that were closed since. */
  closed: ReadonlySet<string>;
};

/** Predicts what would come of a close now. It promises nothing: PolyAI decides. */
export function predict(
  { outcome, project = '', conversation = '', endedAt }: Candidate,
  facts: Facts,
): Prediction {
  const { projects, secretChangedAt, deployedAt, closed } = facts;
  if (closed.has(conversation)) return { outcome: 'already_ended', why: 'it was closed since' };
  if (!projects.includes(project)) {
    return { outcome: 'fails_again', why: `the project ${project} is not in this deployment` };
  }
  const isDeployed = deployedAt > endedAt;
  switch (outcome) {
    case 'unauthorized':
      return (secretChangedAt[project] ?? 0) > endedAt
        ? { outcome: 'closed', why: 'the project’s secret was changed since' }
        : { outcome: 'fails_again', why: 'the project’s secret was not changed since' };
    case 'misdirected':
    case 'not_found':
    case 'rejected':
    case 'unknown_target':
      return isDeployed
        ? { outcome: 'closed', why: 'the stack was deployed since' }
        : { outcome: 'fails_again', why: 'nothing was deployed since' };
    case 'no_conversation':
    case 'look_up_expired':
      return {
        outcome: 'unknown',
        why: 'the agent may have stored the shared id since; a newer chat may have it',
      };
    default:
      return { outcome: 'closed', why: 'if PolyAI answers now' };
  }
}

type Parts = Pick<Aws, 'logs' | 'secretsManager'> & Pick<Surroundings, 'now' | 'progress' | 'signal'>;

/** Reads what the predictions need. @param from the oldest close, in Unix milliseconds */
export async function readFacts(from: number, deployment: Deployment, parts: Parts): Promise<Facts> {
  const span = { from, to: parts.now() + 60_000 };
  const [states, { lines }] = await Promise.all([
    secretStates(deployment, parts),
    searchLines({ ...span, groups: [deployment.logGroups.close], texts: ['closed', 'already_ended'] }, parts),
  ]);
  const changed = states.flatMap(({ kind, owner, changedAt }) =>
    kind === 'polyai' && changedAt ? [[owner, Date.parse(changedAt)]] : [],
  );
  const over = lines.filter(
    ({ type, outcome }) => type === 'close' && (outcome === 'closed' || outcome === 'already_ended'),
  );
  return {
    projects: Object.keys(deployment.configuration.projects),
    secretChangedAt: Object.fromEntries(changed),
    deployedAt: Number(deployment.changedAt ?? 0),
    closed: new Set(over.flatMap(({ conversation_id: id }) => (typeof id === 'string' ? [id] : []))),
  };
}

/** How many of each prediction and reason, in words, one a line. */
export function planText(predictions: readonly Prediction[]): string {
  const counts = Map.groupBy(predictions, ({ outcome, why }) => `${outcome}: ${why}`);
  return [...counts].map(([text, { length }]) => `  ${length} ${text}`).join('\n');
}
