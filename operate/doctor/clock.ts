import { type Check, fault, ok, warning } from './finding.ts';

const TIMEOUT_MS = 10_000;
/** AWS refuses calls from five minutes on, and signatures of CRMs are valid for as long. */
const FAULT_MS = 300_000;
const WARNING_MS = 60_000;

/** Whether the clock of this machine is right, by the time in PolyAI's answer. */
export const checkClock: Check = async ({ deployment, now }) => {
  const [project] = Object.values(deployment.configuration.projects);
  if (!project) return [];
  try {
    const { headers } = await fetch(project.baseUrl, {
      method: 'HEAD',
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return [judge(Date.parse(headers.get('date') ?? '') - now())];
  } catch {
    return [ok('clock', 'The clock was not checked: PolyAI gave no answer.')];
  }
};

function judge(skewMs: number) {
  if (Number.isNaN(skewMs)) return ok('clock', 'The clock was not checked: PolyAI’s answer has no time.');
  const seconds = Math.round(Math.abs(skewMs) / 1000);
  const sentence = `This machine’s clock differs from PolyAI’s by ${seconds} s.`;
  const fix = 'Set the clock by a time server';
  if (Math.abs(skewMs) >= FAULT_MS) return fault('clock', sentence, fix);
  return Math.abs(skewMs) >= WARNING_MS ? warning('clock', sentence, fix) : ok('clock', sentence);
}
