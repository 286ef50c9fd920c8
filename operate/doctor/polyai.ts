import { randomUUID } from 'node:crypto';
import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { listConversations, readListKey } from '../../functions/cleanup/conversations.ts';
import { isHealthy } from '../../functions/close/canary-health.ts';
import { judge } from '../../functions/close/outcome.ts';
import { closeChat, lookUpConversation, type PolyAIAnswer, readProjectKeys } from '../../functions/polyai.ts';
import { SecretNotReady } from '../../functions/secrets.ts';
import { listedProject } from '../open-chats.ts';
import { type Check, type Checked, CLI, type Finding, fault, ok, warning } from './finding.ts';

const HOUR_MS = 3_600_000;
const TIMEOUT_MS = 10_000;
/** PolyAI makes its own ids, and none of them begins like this. */
const IMPOSSIBLE = 'polyai-chat-closer-doctor-';

/**
 * Whether PolyAI accepts each project's keys, called from here: for closing, and for listing and hand-off where the
 * project needs them. The conversation and the shared id cannot exist.
 */
export const checkPolyAI: Check = async (checked) => {
  const names = Object.keys(checked.deployment.configuration.projects);
  return (await Promise.all(names.map((name) => checkProject(name, checked)))).flat();
};

async function checkProject(name: string, checked: Checked): Promise<Finding[]> {
  const { deployment, aws } = checked;
  const project = listedProject(name, deployment);
  const { SecretString = '' } = await aws.secretsManager.send(
    new GetSecretValueCommand({ SecretId: project.secretId }),
  );
  try {
    const keys = readProjectKeys(SecretString);
    const call = { project, keys, requestId: randomUUID(), fetch, timeoutMs: TIMEOUT_MS };
    const findings = [
      judgeClose(name, await closeChat(call, `${IMPOSSIBLE}${randomUUID()}`)),
      ...(needsList(name, checked, SecretString)
        ? [await checkList(name, readListKey(SecretString), checked)]
        : []),
      ...(needsHandoff(name, checked)
        ? [judgeHandoff(name, await lookUpConversation(call, `${IMPOSSIBLE}${randomUUID()}`))]
        : []),
    ];
    return findings;
  } catch (error) {
    // The check of the secrets says what is wrong with it.
    if (error instanceof SecretNotReady) return [];
    throw error;
  }
}

function judgeClose(name: string, answer: PolyAIAnswer): Finding {
  const { outcome, reason = '' } = judge(answer);
  if (isHealthy(outcome, answer)) return ok('close key', 'PolyAI accepts the keys for closing chats.', name);
  if (outcome === 'unauthorized') {
    return fault(
      'close key',
      `PolyAI does not accept the keys for closing chats: ${reason}.`,
      `Store keys that PolyAI has issued for this project: ${CLI} secret set ${name}`,
      name,
    );
  }
  if (outcome === 'misdirected') {
    return fault(
      'close key',
      `PolyAI does not know the project: ${reason}.`,
      `Correct region, accountId and projectId of ${name} in the configuration, and deploy`,
      name,
    );
  }
  if (outcome === 'unavailable' || outcome === 'throttled') {
    return warning(
      'close key',
      `PolyAI gives no answer now: ${reason}.`,
      'Check the network and baseUrl, and ask again',
      name,
    );
  }
  return fault(
    'close key',
    `PolyAI answers in a way that nobody expects: ${reason}.`,
    `Check region and baseUrl of ${name}`,
    name,
  );
}

async function checkList(name: string, apiKey: string, { deployment, now }: Checked): Promise<Finding> {
  const project = listedProject(name, deployment);
  const call = { project, apiKey, requestId: randomUUID(), fetch, timeoutMs: TIMEOUT_MS };
  const answer = await listConversations(call, { from: now() - HOUR_MS, to: now() });
  if ('conversations' in answer) return ok('list key', 'PolyAI accepts the key for listing chats.', name);
  if (answer.kind === 'passing')
    return warning('list key', `PolyAI gives no list now: ${answer.failure}.`, 'Ask again', name);
  return fault(
    'list key',
    `PolyAI gives no list of chats: ${answer.failure}.`,
    `Store a conversationsApiKey that may list: ${CLI} secret set ${name}`,
    name,
  );
}

function judgeHandoff(name: string, answer: PolyAIAnswer): Finding {
  if ('failure' in answer)
    return warning('hand-off key', `PolyAI gives no answer now: ${answer.failure}.`, 'Ask again', name);
  if (answer.status === 401 || answer.status === 403) {
    return fault(
      'hand-off key',
      `PolyAI does not accept the key for look-ups: it answered ${answer.status}.`,
      `Store a handoffApiKey with the permission "Handoff": ${CLI} secret set ${name}`,
      name,
    );
  }
  return answer.status < 500
    ? ok('hand-off key', 'PolyAI accepts the key for look-ups.', name)
    : warning('hand-off key', `PolyAI answered ${answer.status} to a look-up.`, 'Ask again', name);
}

function needsList(name: string, { deployment }: Checked, secret: string): boolean {
  return (
    deployment.configuration.projects[name]?.cleanup !== undefined ||
    /"conversationsApiKey"\s*:\s*"[^"]/.test(secret)
  );
}

function needsHandoff(name: string, { deployment }: Checked): boolean {
  return Object.values(deployment.configuration.connections).some(
    ({ polyai, lookUp }) => polyai === name && lookUp,
  );
}
