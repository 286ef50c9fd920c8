import type { Queue } from '../soak/sqs-model.ts';
import { MINUTE, type World } from './world.ts';

/** What brings a trouble about, and what the person who was called does about it. */
export type Trouble = { begin: (world: World) => void; end: (world: World) => void };

type Projects = World['embedded']['projects'];

const nothing = () => {};

/** A state of the world that is there while the trouble lasts. */
export function during(change: (faults: World['faults'], isOn: boolean) => void): Trouble {
  return { begin: ({ faults }) => change(faults, true), end: ({ faults }) => change(faults, false) };
}

/** The receiver has another secret than the CRM. */
export function wrongSecret(connection: string): Trouble {
  const store = (world: World, signingSecret: string) =>
    world.vault.set(world.secrets.connections.get(connection)?.id ?? '', JSON.stringify({ signingSecret }));
  return {
    begin: (world) => store(world, 'another secret'),
    end: (world) => store(world, world.signingSecrets[connection] ?? ''),
  };
}

/** Both the canary and the receiver lose its secret. */
export function noCanarySecret(): Trouble {
  const { begin: _begin, end } = wrongSecret('canary');
  const id = (world: World) => world.secrets.connections.get('canary')?.id ?? '';
  return { begin: (world) => world.vault.set(id(world), '{"signingSecret":""}'), end };
}

/** PolyAI answers every call of a project whose path matches in one way. */
export function answers(project: string, status: number, path = /./): Trouble {
  return {
    begin: (world) => {
      world.projectOf(project).answerInstead = (called) =>
        path.test(called) ? { status, body: {} } : undefined;
    },
    end: (world) => {
      world.projectOf(project).answerInstead = () => undefined;
    },
  };
}

/** PolyAI takes other keys, until they are stored. */
export function revokedKeys(project: string): Trouble {
  return {
    begin: (world) => {
      world.projectOf(project).keys = { apiKey: 'new', token: 'new' };
    },
    end: (world) => {
      const { keys } = world.projectOf(project);
      world.vault.set(world.secrets.polyai.get(project)?.id ?? '', JSON.stringify(keys));
    },
  };
}

/** A worker with other projects is deployed, and then the right one. */
export function deployed(change: (projects: Projects) => Projects): Trouble {
  return {
    begin: (world) => world.deployWorker(change(world.embedded.projects)),
    end: (world) => world.deployWorker(world.embedded.projects),
  };
}

/** The event source of the worker is disabled. */
export const sourceOff: Trouble = {
  begin: ({ source }) => source.setEnabled(false),
  end: ({ source }) => source.setEnabled(true),
};

export function crash(name: string): Trouble {
  return during(({ crashing }, isOn) => toggle(crashing, name, isOn));
}

export function silent(...connections: string[]): Trouble {
  return during((faults, isOn) => {
    for (const each of connections) toggle(faults.silent, each, isOn);
  });
}

function toggle<T>(set: Set<T>, value: T, isOn: boolean): void {
  if (isOn) set.add(value);
  else set.delete(value);
}

/** Deliveries with a guessed secret, for ten minutes. */
export function forgeries(aMinute: number, connection: string): Trouble {
  return tenMinutes(aMinute, (world, n) => world.deliver(connection, `{"forgery":${n}}`, 'guessed'));
}

/** Requests to addresses that do not exist, for ten minutes. */
export function strangers(aMinute: number): Trouble {
  return tenMinutes(aMinute, (world, n) => world.request(`unknown-${n}`, {}, '{}'));
}

/** Figures that would need many days or many messages. */
export function figure(queue: string, metric: string, value: number): Trouble {
  return tenMinutes(1, ({ account, idOfQueue }) =>
    account.measure('AWS/SQS', metric, { QueueName: idOfQueue(queue) }, value),
  );
}

function tenMinutes(aMinute: number, run: (world: World, n: number) => unknown): Trouble {
  return {
    begin: (world) => {
      for (let n = 0; n < 10 * aMinute; n += 1) {
        world.clock.at(world.clock.now() + (n * MINUTE) / aMinute, () => void run(world, n));
      }
    },
    end: nothing,
  };
}

/** A customer goes on writing in a chat that began three hours ago, for 90 minutes. */
export function longChat(connection: string, project: string): Trouble {
  return {
    begin: (world) => {
      const { clock } = world;
      const begun = clock.now();
      const turns: object[] = [];
      const id = world.openChat(project, { startedAt: begun - 180 * MINUTE, turns });
      for (let minute = 0; minute < 90; minute += 10) {
        clock.at(begun + minute * MINUTE, () => {
          turns.push({ user_input_datetime: new Date(clock.now()).toISOString() });
        });
      }
      clock.at(begun + 90 * MINUTE, () => void world.finishChat(connection, id));
    },
    end: nothing,
  };
}

/** Both, one after the other in the same instant. */
export function both(...troubles: Trouble[]): Trouble {
  return {
    begin: (world) => {
      for (const { begin } of troubles) begin(world);
    },
    end: (world) => {
      for (const { end } of troubles) end(world);
    },
  };
}

/** Deletes every message that can be received. */
export function empty(queue: Queue): void {
  for (;;) {
    const letters = queue.receive({ max: 10 });
    if (letters.length === 0) return;
    for (const { receiptHandle } of letters) queue.delete(receiptHandle);
  }
}
