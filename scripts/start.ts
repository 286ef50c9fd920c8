import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { canaryConversationId } from '../functions/canary-delivery.ts';
import { ConfigurationError, loadConfiguration } from '../infra/config/load.ts';
import { type Console, startConsole } from '../local/console/server.ts';
import {
  chooseExample,
  describeConnection,
  type Example,
  httpConnections,
  requireHttpConnection,
} from '../local/examples.ts';
import { commandLine, LocalRunError } from '../local/isolation.ts';
import { type LateLines, watchForLateLines } from '../local/late-lines.ts';
import { type LocalStack, startLocalStack } from '../local/local-stack.ts';
import { type Call, type PolyAIStandIn, startPolyAI } from '../local/polyai-stand-in.ts';
import { createReport } from '../local/report.ts';
import { follow, type Log, type LoggedLine } from '../local/stack-log.ts';
import { openAws } from '../operate/aws.ts';
import { readDeployment } from '../operate/deployment.ts';
import { curlLine, type Sample } from '../samples/sample-delivery.ts';
import { readStartOptions, type StartOptions, USAGE } from './command/start-options.ts';

/** A close without a final outcome after this time is shown with its last one. */
const OUTCOME_WITHIN_MS = 60_000;
/** The log is read for this long even when the time for the outcome is over. */
const LAST_LOOK_MS = 1000;
/** Only the stand-in reports when it has answered. The worker waits ten seconds for any other PolyAI. */
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
  let page: Console | undefined;
  try {
    local = await startLocalStack({
      configuration: options.config,
      polyai: { url: options.polyai ?? standIn?.url ?? '', keys: standIn?.keys ?? keysFromEnvironment() },
      ...(options.port !== undefined && { port: options.port }),
      onStep: report.step,
      signal: stopped.signal,
    });
    late = watchForLateLines(local.flush);
    standIn?.onCall(late.expect);
    const { conversation, connection } = options;
    page = options.once ? undefined : await openConsole(local, standIn);
    const run = {
      local: { ...local, log: withListener(local.log, page) },
      standIn,
      late,
      page,
      conversation,
      connection,
    };
    const isClosed = await closeOneChat(run);
    if (options.once || stopped.signal.aborted) return isClosed ? 0 : 1;
    await stayUp(run);
    return 0;
  } catch (error) {
    if (!stopped.signal.aborted) throw error;
    return INTERRUPTED;
  } finally {
    late?.stop();
    await page?.close();
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
  /** The page that shows everything; absent with --once. */
  page: Console | undefined;
  conversation: string | undefined;
  /** The connection named with --connection. */
  connection: string | undefined;
};

function keysFromEnvironment() {
  return {
    apiKey: process.env.POLYAI_API_KEY || 'made-up-api-key',
    token: process.env.POLYAI_TOKEN || 'made-up-token',
  };
}

async function openConsole(local: LocalStack, standIn: PolyAIStandIn | undefined): Promise<Console> {
  const aws = openAws();
  const deployment = await readDeployment(aws, local.stackName);
  return startConsole({ local, deployment, aws, standIn, signal: stopped.signal });
}

/** Shows the page every line that is read from the log. */
function withListener(log: Log, page: Console | undefined): Log {
  return {
    ...log,
    async readNew() {
      const lines = await log.readNew();
      for (const line of lines) page?.record.onLine(line);
      return lines;
    },
  };
}

/** Opens a chat, sends the webhook that finishes it, and follows its close. @returns whether the chat was closed */
async function closeOneChat(run: Run): Promise<boolean> {
  const { local, standIn, late } = run;
  const sample = await chooseExample(local, run.connection, (project) => openChat(run, project));
  if (!sample) {
    const settings = run.connection ? `the settings of ${run.connection}` : 'this configuration';
    report.show(
      `Cannot make an example delivery for ${settings}. Send your own delivery to:`,
      ...addresses(local),
    );
    return false;
  }
  const { conversationId } = sample;
  report.show(
    standIn
      ? 'A customer has an open chat at PolyAI (played by a stand-in):'
      : 'The chat to close at PolyAI:',
    `conversation ${conversationId}`,
  );
  const called = nextCall(standIn);
  const deadline = Date.now() + OUTCOME_WITHIN_MS;
  const isRehearsal = local.configuration.connections[sample.name]?.rehearse === true;
  if (!(await sendAndShow(sample, isRehearsal, run.page))) return false;
  if (isRehearsal) {
    report.show(
      `The connection ${sample.name} is in rehearsal: nothing was queued, and the chat stays open.`,
    );
    return false;
  }
  const answered = standIn ? undefined : setTimeout(late.expect, POLYAI_ANSWERS_WITHIN_MS).unref();
  const call = await Promise.race([
    called,
    sleep(OUTCOME_WITHIN_MS, undefined, { ref: false, signal: stopped.signal }),
  ]);
  if (call) {
    report.show(
      'The adapter called PolyAI to close the chat:',
      `${call.method} ${call.path}`,
      `${call.body} → ${call.status}`,
    );
  }
  const isClosed = await followClose(run, conversationId, deadline - Date.now());
  clearTimeout(answered);
  return isClosed;
}

/** Sends the delivery, and shows it and its answer. @returns whether it was accepted */
async function sendAndShow(
  sample: Example,
  isRehearsal: boolean,
  page: Console | undefined,
): Promise<boolean> {
  report.show(
    `The CRM sends a signed webhook: the conversation is finished (connection ${sample.name}):`,
    `POST ${sample.url}`,
    ...Object.entries(sample.headers).map(([name, value]) => `${name}: ${value}`),
    '',
    sample.body,
  );
  const { name, conversationId, url, headers } = sample;
  const request = { url, headers, body: sample.body };
  const entry = page?.record.add({ connection: name, kind: 'genuine', conversationId, request });
  const { status, body } = await send(sample);
  if (entry) page?.record.answered(entry, { status, body });
  const done = isRehearsal ? 'logged what it would close' : 'queued the close';
  report.show(`The adapter verified it, ${done}, and answers:`, `${status} ${body}`);
  return status === 200;
}

/** @returns whether the close of this conversation ended as `closed` */
async function followClose({ local, late }: Run, conversationId: string, withinMs: number): Promise<boolean> {
  const attempts: LoggedLine[] = [];
  await follow(
    local.log,
    (line) => {
      if (line.type === 'close') late.arrived();
      if (line.type !== 'close' || line.conversation_id !== conversationId) return false;
      attempts.push(line);
      return line.final === true;
    },
    Math.max(withinMs, LAST_LOOK_MS),
    stopped.signal,
  );
  const last = attempts.at(-1);
  report.show(
    `The outcome in CloudWatch Logs, group ${local.outputs.OutcomesLogGroup}:`,
    ...(attempts.length > 0 ? attempts.map(withoutService) : ['(no line yet)']),
  );
  if (last?.final === true && last.outcome === 'closed') {
    report.show(`Outcome: closed. The chat ${conversationId} has ended.`);
    return true;
  }
  const seen = last ? `${last.outcome}${last.reason ? ` (${last.reason})` : ''}` : 'nothing was logged';
  report.show(
    last?.final
      ? `Outcome: ${seen}.`
      : `No final outcome within ${OUTCOME_WITHIN_MS / 1000} s. Last seen: ${seen}.`,
  );
  return false;
}

/** Shows every delivery and outcome as it happens, until Ctrl-C. */
async function stayUp(run: Run): Promise<void> {
  report.show('Everything keeps running until Ctrl-C. The addresses:', ...addresses(run.local));
  await offerSample(run);
  await describeConnections(run);
  report.show(
    'To ask about it in another terminal, with any of the commands in docs/commands.md:',
    ...questions(run),
  );
  if (run.page) report.show('Look at it:', run.page.url);
  let isOffering = false;
  const offerAgain = async () => {
    if (isOffering) return;
    isOffering = true;
    // The page can make Secrets Manager fail. The next outcome offers a sample again.
    await offerSample(run).catch(({ message }) => report.show('Cannot make an example now:', message));
    isOffering = false;
  };
  await follow(
    run.local.log,
    (line) => {
      if (line.type === 'close') run.late.arrived();
      const isEvent = line.type === 'delivery' && line.answer === undefined;
      report.show(isEvent ? 'An event was read:' : (SHOWN[line.type] ?? line.type), withoutService(line));
      const isUsedUp = (line.type === 'close' && line.final) || line.refused === 'timestamp_stale';
      if (isUsedUp && !line.canary) void offerAgain();
      return false;
    },
    Number.POSITIVE_INFINITY,
    stopped.signal,
  );
}

const SHOWN: Record<string, string> = {
  delivery: 'A webhook was answered:',
  close: 'A close was attempted:',
  canary: 'The canary has sent a delivery:',
  fault: 'An unexpected error happened:',
};

/** The line without the stack's name, which is the same in all of them. */
function withoutService({ service: _service, ...line }: LoggedLine): string {
  return JSON.stringify(line);
}

async function offerSample(run: Run): Promise<void> {
  const sample = await chooseExample(run.local, run.connection, (project) => openChat(run, project));
  if (!sample) return;
  const forged = { ...sample, body: sample.body.replace(/\}$/, ' }') };
  report.show(
    'Try these in another terminal. This one closes a chat (its timestamp is valid for five minutes):',
    curlLine(sample),
    '',
    'This one has an extra byte, so its signature is wrong:',
    curlLine(forged),
  );
}

/** Shows for every connection with an address its local secret, and a line that signs and sends. */
async function describeConnections(run: Run): Promise<void> {
  const { local, standIn } = run;
  const share = standIn && ((conversationId: string) => shareId(standIn, conversationId));
  for (const [name, { crm }] of httpConnections(local.configuration)) {
    const lines = await describeConnection(local, name, (project) => openChat(run, project), share);
    report.show(`To send your own deliveries to ${name} (${crm}):`, ...lines);
  }
}

/** Lines that ask the running stack: what is wrong, and why the first chat was closed or not. */
function questions({ local, page }: Run): string[] {
  const known = page?.record.all().find(({ conversationId }) => conversationId)?.conversationId;
  const commands = ['status', ...(known ? [`why ${known}`] : [])];
  return commands.map((command) => commandLine(process.env, local.stackName, command));
}

function openChat({ local, standIn, conversation }: Run, name: string): string {
  if (!standIn) return conversation ?? `local-${randomUUID()}`;
  const project = local.configuration.projects[name];
  return standIn.openChat(project && { accountId: project.accountId, projectId: project.projectId });
}

/** Stores a ticket's id with a chat, as an agent does. */
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
  if (!standIn) return Promise.resolve(undefined);
  const isCanary = ({ body }: Call) => body.includes(canaryConversationId(''));
  return new Promise((resolve) => standIn.onCall((call) => isCanary(call) || resolve(call)));
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
