import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigurationError, loadConfiguration } from '../infra/config/load.ts';
import {
  chooseExample,
  describeConnection,
  httpConnections,
  requireHttpConnection,
} from '../local/examples.ts';
import { LocalRunError } from '../local/isolation.ts';
import { type LateLines, watchForLateLines } from '../local/late-lines.ts';
import { follow, type LoggedLine } from '../local/log.ts';
import { type Call, type PolyAIStandIn, startPolyAI } from '../local/polyai-stand-in.ts';
import { createReport } from '../local/report.ts';
import { curlLine, type Sample } from '../local/sample.ts';
import { type LocalStack, startLocalStack } from '../local/stack.ts';
import { readStartOptions, type StartOptions, USAGE } from './command/start-options.ts';

/** A close that is still unfinished after this is shown as it is. */
const PATIENCE_MS = 60_000;
const LAST_LOOK_MS = 1000;
/** Another PolyAI than the stand-in does not say when it has answered: the worker gives it ten seconds. */
const POLYAI_ANSWERS_WITHIN_MS = 10_000;
/** The shell's own exit code for Ctrl-C. */
const INTERRUPTED = 130;

const report = createReport((text) => process.stdout.write(text));
const stopped = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopped.abort());

async function main(options: StartOptions): Promise<number> {
  if (options.connection) requireHttpConnection(loadConfiguration(options.config), options.connection);
  const standIn = options.polyai ? undefined : await startPolyAI();
  let local: LocalStack | undefined;
  let late: LateLines | undefined;
  try {
    local = await startLocalStack({
      configuration: options.config,
      polyai: { url: options.polyai ?? standIn?.url ?? '', keys: standIn?.keys ?? keysOfTheShell() },
      ...(options.port !== undefined && { port: options.port }),
      say: report.step,
      signal: stopped.signal,
    });
    late = watchForLateLines(local.flush);
    standIn?.onCall(late.expect);
    const { conversation, connection } = options;
    const run = { local, standIn, late, conversation, connection };
    const isClosed = await closeOneChat(run);
    if (options.once || stopped.signal.aborted) return isClosed ? 0 : 1;
    await stayUp(run);
    return 0;
  } catch (error) {
    if (!stopped.signal.aborted) throw error;
    return INTERRUPTED;
  } finally {
    late?.stop();
    if (local) report.step('Cleaning up');
    await local?.stop();
    await standIn?.close();
    report.end();
  }
}

type Run = {
  local: LocalStack;
  standIn: PolyAIStandIn | undefined;
  late: LateLines;
  conversation: string | undefined;
  /** The connection that was asked for. */
  connection: string | undefined;
};

function keysOfTheShell() {
  return {
    apiKey: process.env.POLYAI_API_KEY || 'made-up-api-key',
    token: process.env.POLYAI_TOKEN || 'made-up-token',
  };
}

/** Opens a chat, says by webhook that it is finished, and follows that to its outcome. */
async function closeOneChat(run: Run): Promise<boolean> {
  const { local, standIn, late } = run;
  const sample = await chooseExample(local, run.connection, (project) => openChat(run, project));
  if (!sample) {
    report.show(
      run.connection
        ? `No example can be made for the settings of ${run.connection}: send a delivery of your own to`
        : 'No example can be made for the settings of this configuration: send a delivery of your own to',
      ...addresses(local),
    );
    return false;
  }
  const { conversationId } = sample;
  report.show(
    standIn ? 'A customer has a chat open at PolyAI (a stand-in for it):' : 'The chat to close at PolyAI is:',
    `conversation ${conversationId}`,
  );
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
  const answered = standIn ? undefined : setTimeout(late.expect, POLYAI_ANSWERS_WITHIN_MS).unref();
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
  const isClosed = await followClose(run, conversationId, deadline - Date.now());
  clearTimeout(answered);
  return isClosed;
}

/** @returns whether the close of this conversation ended as `closed` */
async function followClose(
  { local, late }: Run,
  conversationId: string,
  patienceMs: number,
): Promise<boolean> {
  const attempts: LoggedLine[] = [];
  await follow(
    local.log,
    (line) => {
      if (line.type === 'close') late.arrived();
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
  await describeConnections(run);
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
      if (line.type === 'close') run.late.arrived();
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
  const sample = await chooseExample(run.local, run.connection, (project) => openChat(run, project));
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

/** For every connection with an address: its local secret, and a line that signs and sends. */
async function describeConnections(run: Run): Promise<void> {
  const { local, standIn } = run;
  const share = standIn && ((conversationId: string) => shareId(standIn, conversationId));
  for (const [name, { crm }] of httpConnections(local.configuration)) {
    const lines = await describeConnection(local, name, (project) => openChat(run, project), share);
    report.show(`To send deliveries of your own to ${name} (${crm}):`, ...lines);
  }
}

function openChat({ local, standIn, conversation }: Run, name: string): string {
  if (!standIn) return conversation ?? `local-${randomUUID()}`;
  const project = local.configuration.projects[name];
  return standIn.openChat(project && { accountId: project.accountId, projectId: project.projectId });
}

/** As an agent stores the ticket's id with a chat. */
function shareId(standIn: PolyAIStandIn, conversationId: string): string {
  const id = `ticket-${conversationId}`;
  standIn.share(id, conversationId);
  return id;
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
  const options = readStartOptions(process.argv.slice(2), process.env);
  if (options) process.exitCode = await main(options);
  else process.stdout.write(USAGE);
} catch (error) {
  report.end();
  if (!(error instanceof LocalRunError || error instanceof ConfigurationError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
