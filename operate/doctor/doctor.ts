import { explain } from '../error.ts';
import { checkAlarms } from './alarms.ts';
import { checkBuses } from './buses.ts';
import { checkClock } from './clock.ts';
import { checkDeadLetters } from './dead-letters.ts';
import { type Check, type Checked, type Finding, ok, warning } from './finding.ts';
import { checkPolyAI } from './polyai.ts';
import { checkQuotas } from './quotas.ts';
import { checkSecrets } from './secrets.ts';
import { checkConfiguration, checkStack } from './stack.ts';
import { checkConcurrency, checkEventSources, checkWorker } from './worker.ts';

/** Every check, in the order of the report. */
const CHECKS: Record<string, Check> = {
  stack: checkStack,
  configuration: checkConfiguration,
  secrets: checkSecrets,
  polyai: checkPolyAI,
  'event source': checkEventSources,
  concurrency: checkConcurrency,
  quotas: checkQuotas,
  buses: checkBuses,
  worker: checkWorker,
  'dead letters': checkDeadLetters,
  alarms: checkAlarms,
  clock: checkClock,
};

const LEVELS = ['fault', 'warning', 'ok'];

export type Diagnosis = { healthy: boolean; findings: Finding[] };

/** Runs every check. One that cannot be made says so, and the others go on. Faults come first. */
export async function examine(checked: Checked): Promise<Diagnosis> {
  const results = await Promise.all(Object.entries(CHECKS).map(([name, check]) => run(name, check, checked)));
  const findings = results.flat().sort((a, b) => LEVELS.indexOf(a.level) - LEVELS.indexOf(b.level));
  return { healthy: findings.every(({ level }) => level !== 'fault'), findings };
}

async function run(name: string, check: Check, checked: Checked): Promise<Finding[]> {
  try {
    const findings = await check(checked);
    checked.progress(`Checked: ${name}`);
    return findings;
  } catch (error) {
    return [notChecked(name, error)];
  }
}

/** Errors of an emulator that does not have an operation. */
const NOT_THERE =
  /Unknown|NoSuchBucket|Unsupported|NotImplemented|InvalidAction|UnrecognizedClient|Invalid action/i;

function notChecked(name: string, error: unknown): Finding {
  const text = explain(error);
  if (text === undefined) throw error;
  const { name: code = '', message = '' } = error as Error;
  if (NOT_THERE.test(code) || NOT_THERE.test(message)) {
    return ok(name, `Not checked: this endpoint of AWS does not have the call (${code}).`);
  }
  return warning(
    name,
    `Not checked: ${text.split('\n')[0]} (${code}: ${message})`,
    'docs/commands.md#permissions lists what each role needs',
  );
}
