import { App, Stack } from 'aws-cdk-lib';
import type { Configuration } from '../../infra/config/load.ts';
import { embed } from '../../infra/embed.ts';
import { createStackSecrets, type StackSecrets } from '../../infra/stack-secrets.ts';
import { type Clock, createClock } from '../soak/clock.ts';
import { createEventSource, type EventSource } from '../soak/lambda.ts';
import { createRandom, type Random } from '../soak/random.ts';
import { createQueue, type Queue } from '../soak/sqs-model.ts';
import { configurationOf } from '../support/configuration.ts';
import { createAccount } from './account.ts';
import { createCrms } from './crms.ts';
import { noFaults } from './faults.ts';
import { createFunctions } from './functions.ts';
import { createGateway, type Gateway } from './gateway.ts';
import { createPolyAI, type SimulatedProject } from './polyai.ts';
import type { Synthesised } from './synthesised.ts';

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
/** The time at which every story begins. */
export const START = Date.UTC(2026, 10, 26, 12);
const SEED = 7;
const CANARY_EVERY = 5 * MINUTE;

export type World = ReturnType<typeof createWorld>;

/**
 * A stack in virtual time: the real handlers with the configuration as synth embeds it, the models of SQS and Lambda,
 * a PolyAI without a network, and CRMs that finish chats. Its account holds the lines and the figures that CloudWatch
 * would get.
 *
 * @param content a connections.json whose webhooks are Zendesk's, whose bus is Genesys's and whose canary runs every
 *   five minutes
 * @param spanMs how long the CRMs, the schedules and the measurements go on
 */
export function createWorld(content: object, synthesised: Synthesised, spanMs: number) {
  const clock = createClock(START);
  const random = createRandom(SEED);
  const faults = noFaults();
  const configuration = configurationOf(content);
  const secrets = createStackSecrets(new Stack(new App(), 'closer'), configuration);
  const embedded = embed(configuration, secrets);
  const account = createAccount(clock, synthesised);
  const polyai = createPolyAI(idsOf(configuration));
  const { vault, signingSecrets } = fillSecrets(secrets, polyai.projects);
  const { events, ...queues } = createQueues(clock, random);
  for (const [name, queue] of Object.entries(queues)) account.measureQueue(name, queue, START + spanMs);

  const apiId = synthesised.idOf('AWS::ApiGatewayV2::Api', 'ReceiveGatewayApi');
  const gateway = createGateway(clock, account, faults, apiId, () => functions.receive);
  const { Closes: closes, DeadLetters: deadLetters } = queues;
  const functions = createFunctions({
    ...{ clock, random, account, faults, embedded, polyai, vault, closes, deadLetters },
    fetchCanary: throughGateway(gateway),
  });
  const source = startSources({ clock, closes, events, functions, isThrottled });

  /** A throttled call is one of Lambda's figures. */
  function isThrottled(): boolean {
    const FunctionName = synthesised.functionOf('Close').id;
    if (faults.isWorkerThrottled) account.measure('AWS/Lambda', 'Throttles', { FunctionName }, 1);
    return faults.isWorkerThrottled;
  }

  function projectOf(name: string): SimulatedProject {
    const found = polyai.projects[name];
    if (!found) throw new Error(`No project is called ${name}.`);
    return found;
  }

  const crms = createCrms({ clock, configuration, faults, gateway, events, signingSecrets, projectOf });

  /** Runs a task in steps, from a time of the story to its end. */
  function every(step: number, from: number, run: () => unknown): void {
    for (let after = from; after < spanMs; after += step) clock.at(START + after, () => void run());
  }

  function runCleanup(project: string): unknown {
    if (!faults.isSchedulerFailing) return functions.cleanup.invoke({ project });
    const id = synthesised.idOf('AWS::Scheduler::ScheduleGroup', 'CleanupSchedulesGroup');
    const { Name } = synthesised.template.Resources[id]?.Properties ?? {};
    return account.measure('AWS/Scheduler', 'InvocationDroppedCount', { ScheduleGroup: String(Name) }, 1);
  }

  function startSchedules(): void {
    for (const [project, { cleanup }] of Object.entries(embedded.listedProjects)) {
      every(cleanup.periodMs, 5 * MINUTE, () => runCleanup(project));
    }
    if (!embedded.connections.canary) return;
    const canary = functions.canary();
    every(CANARY_EVERY, MINUTE, () => !faults.isCanaryOff && canary.invoke({}));
  }

  return {
    ...{ clock, account, embedded, secrets, vault, signingSecrets, faults, queues, source, projectOf },
    ...crms,
    request: gateway.request,
    deployWorker: functions.deployWorker,
    idOfQueue: (name: string) => synthesised.idOf('AWS::SQS::Queue', name),
    /** Runs a task at a time of the story. */
    at: (after: number, run: () => unknown) => clock.at(START + after, () => void run()),
    /** Starts the schedules and the CRMs, each of which finishes a chat in every step, and runs to the end. */
    async run(stepMs: number): Promise<void> {
      Object.entries(configuration.connections).forEach(([name, { polyai: project }], index) => {
        every(stepMs, index * SECOND, () => crms.finishChat(name, crms.openChat(project)));
      });
      startSchedules();
      await clock.run();
    },
  };
}

type Sources = {
  clock: Clock;
  closes: Queue;
  events: Queue;
  functions: ReturnType<typeof createFunctions>;
  isThrottled: () => boolean;
};

/** Feeds the worker and the event reader from their queues. @returns the worker's event source */
function startSources({ clock, closes, events, functions, isThrottled }: Sources): EventSource {
  const both = { batchSize: 10, kill: () => ({}) };
  createEventSource(clock, events, functions.event, { ...both, maxConcurrency: 2, isThrottled: () => false });
  return createEventSource(clock, closes, functions.close, { ...both, maxConcurrency: 5, isThrottled });
}

function idsOf({ projects }: Configuration): Record<string, string> {
  return Object.fromEntries(Object.entries(projects).map(([name, { projectId }]) => [name, projectId]));
}

/** Stores what each secret must hold. */
function fillSecrets(secrets: StackSecrets, projects: Record<string, SimulatedProject>) {
  const vault = new Map<string, string>();
  /** The secret that each CRM signs with. */
  const signingSecrets: Record<string, string> = {};
  for (const [name, { id }] of secrets.connections) {
    signingSecrets[name] = `signing-${name}`;
    vault.set(id, JSON.stringify({ signingSecret: signingSecrets[name] }));
  }
  for (const [name, { id }] of secrets.polyai) vault.set(id, JSON.stringify(projects[name]?.keys));
  return { vault, signingSecrets };
}

/** The queues by the ids of their constructs, and the one that the events wait in. */
function createQueues(clock: Clock, random: Random) {
  const create = (name: string, visibilitySeconds: number, redrive = {}) =>
    createQueue(
      { url: `https://sqs.eu-west-2.amazonaws.com/123456789012/${name}`, visibilitySeconds, ...redrive },
      clock,
      random.fork(),
    );
  const DeadLetters = create('dead-letters', 30);
  const EventDeadLetters = create('event-dead-letters', 30);
  const Closes = create('closes', 180, { redrive: { queue: DeadLetters, maxReceiveCount: 1000 } });
  const events = create('events', 60, { redrive: { queue: EventDeadLetters, maxReceiveCount: 20 } });
  return { Closes, DeadLetters, EventDeadLetters, events };
}

/** A fetch whose requests all go to the canary's address. */
function throughGateway(gateway: Gateway): typeof fetch {
  return async (_url, { headers, body } = {}) => {
    const answer = await gateway.request('canary', Object.fromEntries(new Headers(headers)), String(body));
    return new Response(answer.body, { status: answer.status });
  };
}
