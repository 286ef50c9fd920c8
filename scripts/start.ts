import { randomUUID } from 'node:crypto';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { ROOT } from '../infra/bundle.ts';
import { isOnBus } from '../infra/config/bus.ts';
import { needsSecret } from '../infra/config/preset.ts';
import { ConfigurationError } from '../infra/config.ts';
import { type Call, type PolyAIStandIn, startPolyAI } from '../test/support/polyai-stand-in.ts';
import { isLoopback, LocalRunError } from './local/isolation.ts';
import { follow, type LoggedLine } from './local/log.ts';
import { createReport } from './local/report.ts';
import { curlLine, type Sample, sampleDelivery } from './local/sample.ts';
import { type LocalStack, startLocalStack } from './local/stack.ts';

const USAGE = `npm start [-- --once] [--config FILE] [--polyai URL [--conversation ID]] [--port N]

  --once            end after the first close: exit code 0 if it was closed, 1 otherwise
  --config          a connections.json (without it, the one here)
  --polyai          instead of the stand-in; the keys come from POLYAI_API_KEY and POLYAI_TOKEN
  --conversation    the conversation to close there
  --port            the local AWS's, which must be free
`;

/** A close that is still unfinished after this is shown as it is. */
const PATIENCE_MS = 60_000;
const LAST_LOOK_MS = 1000;
/** The shell's own exit code for Ctrl-C. */
const INTERRUPTED = 130;

type Options = ReturnType<typeof readOptions>;

const report = createReport((text) => process.stdout.write(text));
const stopped = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopped.abort());

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        once: { type: 'boolean', default: false },
        config: { type: 'string' },
        polyai: { type: 'string' },
        conversation: { type: 'string' },
        port: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help) {
      process.stdout.write(USAGE);
      process.exit(0);
    }
    if (values.polyai && !/^https:\/\/[^/]/.test(values.polyai) && !isLoopback(values.polyai)) {
      throw new Error('--polyai takes an address that begins with https://, or one of this machine.');
    }
    if (values.conversation && !values.polyai) throw new Error('--conversation goes with --polyai.');
    const port = values.port === undefined ? undefined : Number(values.port);
    if (port !== undefined && !(Number.isInteger(port) && port > 0 && port < 65_536)) {
      throw new Error('--port takes a number from 1 to 65535.');
    }
    return { ...values, port, config: configurationFile(values.config) };
  } catch (error) {
    throw new LocalRunError(`${(error as Error).message}\n\n${USAGE}`);
  }
}

/** npm changes to the project's folder; what is typed is meant from where it was typed. */
function configurationFile(given: string | undefined): string {
  return given === undefined
    ? join(ROOT, 'connections.json')
    : resolve(process.env.INIT_CWD ?? process.cwd(), given);
}

async function main(options: Options): Promise<number> {
  const standIn = options.polyai ? undefined : await startPolyAI();
  let local: LocalStack | undefined;
  try {
    local = await startLocalStack({
      configuration: options.config,
      polyai: { url: options.polyai ?? standIn?.url ?? '', keys: standIn?.keys ?? keysOfTheShell() },
      ...(options.port !== undefined && { port: options.port }),
      say: report.step,
      signal: stopped.signal,
    });
    const run = { local, standIn, conversation: options.conversation };
    const isClosed = await closeOneChat(run);
    if (options.once || stopped.signal.aborted) return isClosed ? 0 : 1;
    await stayUp(run);
    return 0;
  } catch (error) {
    if (!stopped.signal.aborted) throw error;
    return INTERRUPTED;
  } finally {
    if (local) report.step('Cleaning up');
    await local?.stop();
    await standIn?.close();
    report.end();
  }
}

type Run = { local: LocalStack; standIn: PolyAIStandIn | undefined; conversation: string | undefined };

function keysOfTheShell() {
  return {
    apiKey: process.env.POLYAI_API_KEY || 'made-up-api-key',
    token: process.env.POLYAI_TOKEN || 'made-up-token',
  };
}

/** Opens a chat, says by webhook that it is finished, and follows that to its outcome. */
async function closeOneChat({ local, standIn, conversation }: Run): Promise<boolean> {
  const conversationId = openChat({ local, standIn, conversation });
  report.show(
    standIn ? 'A customer has a chat open at PolyAI (a stand-in for it):' : 'The chat to close at PolyAI is:',
    `conversation ${conversationId}`,
  );
  const sample = await chooseSample(local, conversationId);
  if (!sample) {
    report.show(
      'No example can be derived from the selectors of this configuration: send a delivery of your own to',
      ...addresses(local),
    );
    return false;
  }
  const asked = nextCall(standIn);
  const deadline = Date.now() + PATIENCE_MS;
  report.show(
    `The CRM says by a signed webhook that the conversation is finished (connection ${sample.name}):`,
    `POST ${sample.url}`,
    ...Object.entries(sample.headers).map(([name, value]) => `${name}: ${value}`),
    '',
    sample.body,
  );
  const answer = await send(sample);
  report.show(
    'The adapter has verified it, put the close on its queue, and answers:',
    `${answer.status} ${answer.body}`,
  );
  if (answer.status !== 200) return false;
  const call = await Promise.race([
    asked,
    sleep(PATIENCE_MS, undefined, { ref: false, signal: stopped.signal }),
  ]);
  if (call)
    report.show(
      'PolyAI was asked to close the chat:',
      `${call.method} ${call.path}`,
      `${call.body} → ${call.status}`,
    );
  return followClose(local, conversationId, deadline - Date.now());
}

/** @returns whether the close of this conversation ended as `closed` */
async function followClose(local: LocalStack, conversationId: string, patienceMs: number): Promise<boolean> {
  const attempts: LoggedLine[] = [];
  await follow(
    local.log,
    (line) => {
      if (line.type !== 'close' || line.conversation_id !== conversationId) return false;
      attempts.push(line);
      return line.final === true;
    },
    Math.max(patienceMs, LAST_LOOK_MS),
    stopped.signal,
  );
  const last = attempts.at(-1);
  report.show(
    `CloudWatch Logs, group ${local.outputs.OutcomesLogGroup}, tells the outcome:`,
    ...(attempts.length > 0 ? attempts.map(asRead) : ['(no line yet)']),
  );
  if (last?.final === true && last.outcome === 'closed') {
    report.show(`Outcome: closed. The chat ${conversationId} is over.`);
    return true;
  }
  const seen = last ? `${last.outcome}${last.reason ? ` (${last.reason})` : ''}` : 'nothing was logged';
  report.show(
    last?.final
      ? `Outcome: ${seen}.`
      : `No final outcome within ${PATIENCE_MS / 1000} s; last seen: ${seen}.`,
  );
  return false;
}

/** Shows every delivery and outcome as it happens, until it is told to stop. */
async function stayUp(run: Run): Promise<void> {
  report.show('Everything stays up until Ctrl-C. The addresses are:', ...addresses(run.local));
  await offerSample(run);
  let isOffering = false;
  const offerAgain = async () => {
    if (isOffering) return;
    isOffering = true;
    await offerSample(run);
    isOffering = false;
  };
  await follow(
    run.local.log,
    (line) => {
      const isEvent = line.type === 'delivery' && line.answer === undefined;
      report.show(isEvent ? 'An event was read:' : (SHOWN[line.type] ?? line.type), asRead(line));
      const isUsedUp = (line.type === 'close' && line.final) || line.refused === 'timestamp_stale';
      if (isUsedUp) void offerAgain();
      return false;
    },
    Number.POSITIVE_INFINITY,
    stopped.signal,
  );
}

const SHOWN: Record<string, string> = {
  delivery: 'A webhook was answered:',
  close: 'A close was attempted:',
  fault: 'Something unexpected happened:',
};

/** The line without what CloudWatch needs to count it. */
function asRead({ _aws, service: _service, CloseAttempts: _count, ...line }: LoggedLine): string {
  return JSON.stringify(line);
}

async function offerSample(run: Run): Promise<void> {
  const sample = await chooseSample(run.local, openChat(run));
  if (!sample) return;
  const forged = { ...sample, body: sample.body.replace(/\}$/, ' }') };
  report.show(
    'Try these in another terminal: the first closes a chat (its timestamp holds for five minutes),',
    curlLine(sample),
    '',
    'and this one has a byte too many, so its signature is wrong:',
    curlLine(forged),
  );
}

function openChat({ local, standIn, conversation }: Run): string {
  if (!standIn) return conversation ?? `local-${randomUUID()}`;
  const [project] = Object.values(local.configuration.projects);
  return standIn.openChat(project && { accountId: project.accountId, projectId: project.projectId });
}

/** From a Zendesk connection where there is one, because that is what this shows; else from the first that allows it. */
async function chooseSample(
  local: LocalStack,
  conversationId: string,
): Promise<(Sample & { name: string }) | undefined> {
  const all = Object.entries(local.configuration.connections).filter(([, { crm }]) => !isOnBus(crm));
  const inOrder = [
    ...all.filter(([, { crm }]) => crm === 'zendesk'),
    ...all.filter(([, { crm }]) => crm !== 'zendesk'),
  ];
  for (const [name, connection] of inOrder.filter(([, { bus }]) => !bus)) {
    const secret = needsSecret(connection.verify)
      ? await local.readSecret(local.secretId('connections', name))
      : {};
    const url = { reachable: local.webhookUrl(name), signed: local.signedUrl(name) };
    const sample = sampleDelivery(url, connection, secret, conversationId);
    if (sample) return { ...sample, name };
  }
  return undefined;
}

function addresses(local: LocalStack): string[] {
  return Object.entries(local.configuration.connections).map(
    ([name, { crm, bus }]) => `${bus ? `events on the bus ${bus}` : local.webhookUrl(name)}   (${crm})`,
  );
}

async function send({ url, headers, body }: Sample): Promise<{ status: number; body: string }> {
  const response = await fetch(url, { method: 'POST', headers, body, signal: stopped.signal });
  return { status: response.status, body: await response.text() };
}

function nextCall(standIn: PolyAIStandIn | undefined): Promise<Call | undefined> {
  return standIn ? new Promise((resolve) => standIn.onCall(resolve)) : Promise.resolve(undefined);
}

try {
  process.exitCode = await main(readOptions());
} catch (error) {
  report.end();
  if (!(error instanceof LocalRunError || error instanceof ConfigurationError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
