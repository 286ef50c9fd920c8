import type { Deployment } from '../operate/deployment.ts';
import { outcomesAfter } from '../operate/outcomes-after.ts';
import { readFacts } from '../operate/plan.ts';
import type { RedriveParts } from '../operate/redrive.ts';
import type { Context } from './command.ts';

/** What redrive and replay need to predict outcomes, and to say afterwards what came of the closes. */
export function insights(
  context: Context,
  deployment: Deployment,
): Pick<RedriveParts, 'readFacts' | 'followOutcomes'> {
  const { aws, now, progress, signal, sleep } = context;
  const parts = { logs: aws.logs, secretsManager: aws.secretsManager, now, progress, signal, sleep };
  return {
    readFacts: (from) => readFacts(from, deployment, parts),
    followOutcomes: (ids, from) => outcomesAfter(ids, deployment.outputs.OutcomesLogGroup, from, parts),
  };
}

/** Collects what a command reports, for `--json`. */
export function createReport(): {
  report: (facts: Record<string, unknown>) => void;
  reported: Record<string, unknown>;
} {
  const reported: Record<string, unknown> = {};
  return { report: (facts) => Object.assign(reported, facts), reported };
}
