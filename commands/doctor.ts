import { Option } from 'commander';
import { openDoctorAws } from '../operate/doctor/aws.ts';
import { type Diagnosis, examine } from '../operate/doctor/doctor.ts';
import type { Checked, Finding } from '../operate/doctor/finding.ts';
import { ring } from '../operate/doctor/ring.ts';
import { type Context, defineCommand } from './command.ts';
import type { Style } from './style.ts';

type Options = { ring?: boolean; probe?: boolean; yes?: boolean };

export default defineCommand<Options>({
  name: 'doctor',
  about:
    'Checks all projects and connections at once. PolyAI is asked to close a conversation that cannot exist, from here and from the worker, so that no chat is touched.',
  examples: ['npx --no chat-closer doctor', 'npx --no chat-closer doctor --ring'],
  options: [
    new Option('--ring', 'send a test through an alarm to its subscribers; asks first'),
    new Option('--no-probe', 'do not ask the worker to call PolyAI'),
    new Option('-y, --yes', 'do not ask'),
  ],
  needs: { stack: true, file: true },
  async run(context, _args, { ring: rings, probe = true, yes }) {
    const checked = await checkedOf(context, probe);
    if (rings) return ringAlarm(checked, yes === true, context);
    const diagnosis = await examine(checked);
    return { json: diagnosis, text: toText(diagnosis, context.style), isWell: diagnosis.healthy };
  },
});

async function checkedOf(context: Context, probe: boolean): Promise<Checked> {
  const { file, now, progress, signal, sleep } = context;
  const aws = { ...context.aws, ...openDoctorAws() };
  return { deployment: await context.deployment(), aws, file, probe, now, progress, signal, sleep };
}

async function ringAlarm(checked: Checked, yes: boolean, context: Context) {
  if (
    !yes &&
    !(await context.ask('Ring an alarm? Everybody who subscribes is told, and told again that it is over.'))
  ) {
    return { json: { rang: false }, text: 'Nothing was rung.', isWell: false };
  }
  const alarm = await ring(checked);
  return {
    json: { rang: true, alarm },
    text: `The alarm ${alarm} rang and went back to OK. Ask its subscribers whether both messages came.`,
    isWell: true,
  };
}

function toText({ healthy, findings }: Diagnosis, style: Style): string {
  const problems = findings.filter(({ level }) => level !== 'ok');
  const well = findings.filter(({ level }) => level === 'ok');
  return [
    ...problems.map((finding) => findingText(finding, style)),
    healthy ? style.good('No fault was found.') : style.bad('There are faults.'),
    ...well.map(({ check, subject, sentence }) =>
      style.dim(`✓ ${check}${subject ? ` ${subject}` : ''}: ${sentence}`),
    ),
  ].join('\n');
}

function findingText({ check, level, subject, sentence, fix }: Finding, style: Style): string {
  const mark = level === 'fault' ? style.bad('✗ fault') : style.warning('! warning');
  return `${mark}  ${check}${subject ? ` ${subject}` : ''}: ${sentence}\n    What to do: ${fix}`;
}
